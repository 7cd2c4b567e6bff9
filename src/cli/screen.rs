//! The whole screen (`--tui`): a thread of its own that owns the terminal, reads the keys and draws.
//! The control thread hands over a second at a time and never waits for it.

mod keys;
mod modes;

use std::io::{self, BufWriter, Stderr, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::terminal;
use crate::engine::helm::Helm;
use crate::engine::{self, Progress, stop};
use crate::host;
use crate::metrics::{Label, Mode};
use crate::plan::Plan;
use crate::report::screen::{self, Connecting, Ending, State, Subject, Update, Watch};
use crate::time;
use keys::Wish;
use modes::Modes;

/// At most so often is there a new picture, and at least, while nothing is new but the time.
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_millis(500);

/// Seconds that may lie ready to be drawn; what comes while nobody draws is not shown.
const READY: usize = 8;

/// How long the end waits for a terminal that takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a thread that draws beside the workers stands back by (setpriority(2)).
const NICE: i32 = 10;

pub struct Screen {
    watch: Watch,
    news: SyncSender<News>,
    over: Receiver<()>,
}

/// What there is to draw.
enum News {
    Connecting(Connecting),
    Second(Box<Update>),
}

impl Screen {
    /// Takes the terminal; the error says why it cannot be had.
    pub fn start(plan: &Plan, helm: Arc<Helm>) -> Result<Screen, String> {
        let mode = if plan.load.offered().is_some() { Mode::Open } else { Mode::Closed };
        let subject = Subject::of(plan, engine::engine(plan).name(), engine::workers(plan));
        let state = State::new(plan, subject, terminal::may_color());
        let core = engine::spare_core(plan);
        let (news, receiver) = mpsc::sync_channel(READY);
        let (end, over) = mpsc::channel();
        let modes = Modes::take().map_err(|error| format!("the terminal refuses ({error})"))?;
        let thread = thread::Builder::new().name("blast-screen".to_string());
        thread
            .spawn(move || {
                stand_back(core);
                let painter =
                    Painter { state, frozen: None, helm, dirty: true, drawn: None, _modes: modes };
                painter.run(&receiver);
                let _ = end.send(());
            })
            .map_err(|error| format!("its thread could not be started ({error})"))?;
        Ok(Screen { watch: Watch::new(mode, &plan.thresholds), news, over })
    }

    pub fn show(&mut self, progress: Progress, gauges: impl FnOnce() -> Vec<(Label, Option<f64>)>) {
        let news = match progress {
            Progress::Connecting { dialled, connections } => {
                News::Connecting(Connecting { dialled, connections })
            }
            Progress::Interval { interval, measure, warmup, busy, .. } => {
                let update = self.watch.second(&interval, [measure, warmup], busy, gauges());
                News::Second(Box::new(update))
            }
            _ => return,
        };
        let _ = self.news.try_send(news);
    }

    /// Returns when the terminal is as it was.
    pub fn end(self) {
        drop(self.news);
        if self.over.recv_timeout(PATIENCE).is_err() {
            modes::restore();
        }
    }
}

/// Off the workers' cores, where there are others; or else behind the workers.
fn stand_back(core: Option<usize>) {
    if !core.is_some_and(host::pin) {
        // SAFETY: of the calling thread alone (0), as Linux has it; a failure changes nothing.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    }
}

type Backend = CrosstermBackend<BufWriter<Stderr>>;

struct Painter {
    state: State,
    /// What is looked at in its place, while the run goes on.
    frozen: Option<Box<State>>,
    helm: Arc<Helm>,
    /// There is more to show than the time.
    dirty: bool,
    /// When the last picture was made.
    drawn: Option<Instant>,
    /// Given back when it is dropped.
    _modes: Modes,
}

impl Painter {
    /// Until there is no news to come.
    fn run(mut self, news: &Receiver<News>) {
        // One system call for a picture.
        let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stderr()));
        let options = TerminalOptions { viewport: Viewport::Fixed(area()) };
        let Ok(mut terminal) = Terminal::with_options(backend, options) else { return };
        let mut has_keys = true;
        loop {
            loop {
                match news.try_recv() {
                    Ok(news) => self.take_in(news),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
            match keys::next(SOONEST, has_keys) {
                Ok(Some(wish)) => self.heed(wish),
                Ok(None) => {}
                // Nobody is there to type; the run goes on.
                Err(_) => has_keys = false,
            }
            if self.is_due() && self.paint(&mut terminal).is_err() {
                // The terminal is gone. What ends the run is told by a signal.
                has_keys = false;
            }
        }
    }

    fn take_in(&mut self, news: News) {
        match news {
            News::Connecting(connecting) => self.state.connecting = Some(connecting),
            News::Second(update) => self.state.take_in(*update),
        }
        self.dirty = true;
    }

    fn heed(&mut self, wish: Wish) {
        self.dirty = true;
        match wish {
            Wish::Stop => stop::ask(),
            Wish::Longer => self.helm.lengthen(keys::STEP),
            Wish::Shorter => self.helm.shorten(keys::STEP),
            Wish::Freeze => self.freeze_or_go_on(),
            Wish::Help => self.state.shows_help ^= true,
            Wish::Look => {}
        }
    }

    fn freeze_or_go_on(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(Box::new(State { is_frozen: true, ..self.state.clone() })),
        };
    }

    fn is_due(&self) -> bool {
        let Some(drawn) = self.drawn else { return true };
        drawn.elapsed() >= if self.dirty { SOONEST } else { LATEST }
    }

    fn paint(&mut self, terminal: &mut Terminal<Backend>) -> io::Result<()> {
        (self.drawn, self.dirty) = (Some(Instant::now()), false);
        self.look_at_the_clock();
        let area = area();
        if terminal.get_frame().area() != area {
            terminal.resize(area)?;
        }
        let state = self.frozen.as_deref().unwrap_or(&self.state);
        terminal.draw(|frame| screen::draw(state, frame.area(), frame.buffer_mut()))?;
        terminal.backend_mut().flush()
    }

    fn look_at_the_clock(&mut self) {
        let (reach, state) = (self.helm.reach(), &mut self.state);
        state.ending = match stop::requests() {
            0 => Ending::No,
            1 => Ending::Soon,
            _ => Ending::Now,
        };
        state.is_elastic = reach.is_elastic;
        state.length = reach.length;
        if let Some(origin) = reach.origin {
            state.connecting = None;
            state.elapsed = time::now() - origin;
            state.measure_at = reach.measure.map(|measure| measure - origin);
        }
        if let Some(frozen) = &mut self.frozen {
            // The answer to a key is seen at once.
            (frozen.ending, frozen.shows_help) = (state.ending, state.shows_help);
        }
    }
}

/// All of the terminal, wherever stdout goes.
fn area() -> Rect {
    let (width, height) = terminal::size(&io::stderr());
    Rect::new(0, 0, width, height)
}
