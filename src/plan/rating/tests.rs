use super::*;
use crate::metrics::{Gauges, Label, Mode, Phase, Summary, Unit, fixture};
