//! The pages as they are sent, before a script has run.

use super::*;
use crate::report::fixture;

const ADMIN: Frame = Frame { user: "ada", is_admin: true, blast_version: "0.1.0" };

fn all() -> Vec<(&'static str, String)> {
    let viewer = Frame { user: "<b>bob</b>", is_admin: false, ..ADMIN };
    vec![
        ("front", front(&ADMIN)),
        ("front of a viewer", front(&viewer)),
        ("run", run(&ADMIN, 7)),
        ("compare", compare(&ADMIN)),
        ("trend", trend(&ADMIN)),
        ("login", login("0.1.0")),
    ]
}

/// What stands between two marks, at each place.
fn between<'a>(text: &'a str, from: &'a str, to: char) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
}

#[test]
fn no_page_holds_what_the_strictest_policy_would_block() {
    for (name, page) in all() {
        for inline in
            ["<style", " style=", "javascript:", "<iframe", " onclick", " onsubmit", " onload"]
        {
            assert!(!page.contains(inline), "{name}: {inline}");
        }
        let scripts = between(&page, "<script", '>');
        assert_eq!(scripts, [" src=\"/assets/panel.js\" defer"], "{name}");
        for address in between(&page, "src=\"", '"').iter().chain(&between(&page, "href=\"", '"')) {
            assert!(address.starts_with('/') || address.starts_with('#'), "{name}: {address}");
        }
    }
}

#[test]
fn markup_in_a_name_is_text() {
    let page = front(&Frame { user: "<b>bob</b>", ..ADMIN });
    assert!(page.contains("&lt;b&gt;bob&lt;/b&gt;") && !page.contains("<b>"), "{page}");
}

#[test]
fn each_label_has_its_field_and_each_id_stands_once() {
    for (name, page) in all() {
        let ids = between(&page, " id=\"", '"');
        for id in &ids {
            assert_eq!(ids.iter().filter(|other| other == &id).count(), 1, "{name}: {id}");
        }
        let mut fields = 0;
        for reference in ["for=\"", "aria-labelledby=\"", "aria-describedby=\"", "aria-controls=\""]
        {
            for id in between(&page, reference, '"') {
                assert!(ids.contains(&id), "{name}: {reference}{id}");
                fields += 1;
            }
        }
        assert!(fields > 0 || name == "compare" || name == "trend", "{name}");
    }
}

#[test]
fn what_the_script_asks_for_by_its_id_stands_in_some_page_or_is_made_by_it() {
    let pages: String = all().into_iter().map(|(_, page)| page).collect();
    let asked = between(SCRIPT, "$(\"", '"');
    assert!(asked.len() > 50, "{}", asked.len());
    for id in asked {
        assert!(pages.contains(&format!(" id=\"{id}\"")), "nothing is called {id}");
    }
}

#[test]
fn a_viewer_is_shown_nothing_that_only_an_admin_may_do() {
    let page = front(&Frame { is_admin: false, ..ADMIN });
    for forbidden in ["id=\"job\"", "delete", "data-do=\"again\""] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn all_that_a_page_loads_is_well_under_300_kb() {
    let longest = all().iter().map(|(_, page)| page.len()).max().unwrap();
    let assets = ["panel.css", "panel.js", "panel.svg"].map(|name| asset(name).unwrap().1.len());
    let sum: usize = longest + assets.iter().sum::<usize>();
    assert!(sum < 150_000, "{sum}");
    assert!(asset("../mod.rs").is_none());
}

#[test]
fn the_charts_of_a_run_that_goes_on_are_those_of_its_document() {
    for run in [fixture::held(), fixture::watched(), fixture::closed()] {
        let document = run.document();
        let whole = charts_of(&document);
        let course = Course::so_far(
            &document.intervals,
            document.interval_s,
            document.is_open_loop(),
            Course::of(&document).bounds_s,
            document.gauges.as_ref(),
            document.edits.clone(),
        );
        let live = charts(&course);
        let pictures = between(&live, "<figure>", '\u{0}');
        assert!(live.matches("<svg").count() >= 3, "{live}");
        for picture in pictures.iter().flat_map(|rest| rest.split("</figure>").next()) {
            assert!(whole.contains(picture), "{picture}");
        }
    }
}

#[test]
fn before_the_first_second_is_over_there_is_no_chart() {
    assert_eq!(charts(&Course::so_far(&[], 1.0, true, Vec::new(), None, Vec::new())), "");
}
