//! Plans by name.

macro_rules! preset {
    ($name:literal) => {
        ($name, include_str!(concat!("../../scripts/plans/", $name, ".toml")))
    };
}

/// Plans that come with blast, and need nothing beside them.
pub const PRESETS: [(&str, &str); 15] = [
    preset!("telemetry-1"),
    preset!("telemetry-2"),
    preset!("telemetry-3"),
    preset!("telemetry-4"),
    preset!("ladder-light"),
    preset!("ladder-medium"),
    preset!("ladder-heavy"),
    preset!("ladder-extreme"),
    preset!("gateway-50"),
    preset!("gateway-100"),
    preset!("gateway-200"),
    preset!("gateway-1000"),
    preset!("gateway-5000"),
    preset!("hospital-quick"),
    preset!("hospital"),
];
