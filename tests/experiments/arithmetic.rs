//! The arithmetic itself, against numbers worked out by hand.

use super::law::*;

#[track_caller]
fn same(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{found} and not {expected}");
}

#[test]
fn the_figures_of_the_known_experiments_come_out() {
    // One stall of 1 s in 60; one of 5 s in 10, wrk's issue 99.
    same(stalled(0.98, 1.0, 60.0), 0.0);
    same(stalled(0.99, 1.0, 60.0), 0.4);
    same(stalled(0.9, 5.0, 10.0), 4.0);
    same(stalled_mean(5.0, 10.0), 1.25);
    same(overloaded(0.5, 30.0, 1000.0, 800.0), 3.75);
    same(m_d_1(100.0, 0.005), 0.0075);
    same(on_ramp(5_000.0, 100.0, 1_000.0, 30.0), 15.2259);
    same(on_ramp(16_500.0, 100.0, 1_000.0, 30.0), 30.0);
}

#[test]
fn a_single_server_holds_up_who_comes_too_early() {
    same(single_server(&[0.0, 1.0, 3.0], 2.0), (2.0 + 3.0 + 3.0) / 3.0);
    same(single_server(&[0.0, 5.0], 2.0), 2.0);
}

#[test]
fn the_misfit_tells_the_two_laws_apart() {
    let count = 2_000;
    let at = |k: i32| (f64::from(k) + 0.5) / f64::from(count);
    let exponential: Vec<f64> = (0..count).map(|k| -(1.0 - at(k)).ln() / 100.0).collect();
    same(exponential_misfit(&exponential, 100.0), 0.5 / 2_000_f64.sqrt() / 1.63);
    assert!(exponential_misfit(&exponential, 110.0) > 0.9, "a tenth faster is seen");
    let even = vec![0.01; 2_000];
    assert!(exponential_misfit(&even, 100.0) > 10.0);
    assert!((variation(&exponential) - 1.0).abs() < 0.01);
    assert!(variation(&even) < 1e-9);
}

#[test]
fn a_quantile_is_one_of_the_values() {
    let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    same(quantile(&values, 0.5), 50.0);
    same(quantile(&values, 0.99), 99.0);
    same(quantile(&values, 0.0), 1.0);
}
