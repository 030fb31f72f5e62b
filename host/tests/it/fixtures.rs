//! Every guest has a test that it is there for.

use std::collections::BTreeSet;

use crate::support::guest;
use crate::{
    background, command_line, conformance, database, hostile, isolation, limits, migrations, outbound, refusals,
    serving, soak, swap,
};

/// Each guest, and a test that fails when what it shows breaks. That the test is there, the compiler
/// checks.
const GUESTS: &[(&str, fn())] = &[
    ("allocates-on-start", refusals::the_admin_port_says_at_which_stage_and_why),
    ("background", background::tasks_run_again_and_again_and_do_not_overlap),
    ("background-2", background::tasks_go_on_in_the_version_that_serves),
    ("database", database::values_of_every_type_cross_unchanged),
    ("echo", serving::a_plain_component_is_served),
    ("faults", limits::a_trap_ends_its_instance_and_nothing_else),
    ("health-endless", refusals::the_admin_port_says_at_which_stage_and_why),
    ("health-slow", refusals::the_admin_port_says_at_which_stage_and_why),
    ("health-traps", refusals::the_admin_port_says_at_which_stage_and_why),
    ("health-trickles", refusals::the_admin_port_says_at_which_stage_and_why),
    ("hostile", hostile::what_a_statement_may_be_and_bring_is_bounded),
    ("hostile-2", soak::everything_at_once_for_a_few_seconds_leaves_nothing),
    ("intruder", isolation::databases::a_component_reaches_its_own_database_only),
    ("migrated", migrations::hosts_that_start_together_apply_them_once),
    ("migrated-changed", migrations::a_step_that_was_changed_is_refused_with_advice),
    ("migrated-failing", migrations::a_step_that_fails_is_rolled_back_and_refused),
    ("migrated-gap", migrations::a_gap_between_steps_is_refused),
    ("migrated-more", migrations::a_new_version_brings_its_steps_and_the_old_one_works_on_them),
    ("migrated-slow", migrations::replicas_of_one_database_switch_one_after_another),
    ("misnamed-task", refusals::the_command_says_at_which_stage_and_why),
    ("nosy", isolation::surroundings::a_component_finds_nothing_of_its_process),
    ("outbound", outbound::a_peer_is_reached_by_its_name),
    ("p2-conformance", conformance::requests::a_target_is_seen_as_it_was_written),
    ("p2-hello", serving::a_component_of_wasi_0_2_is_served),
    ("p3-conformance", conformance::requests::a_target_is_seen_as_it_was_written),
    ("sdk-hello", serving::a_service_of_the_sdk_is_served),
    ("sdk-hello-2", swap::a_file_that_is_replaced_replaces_the_component),
    ("sockets", command_line::a_component_can_be_checked_before_it_is_used),
    ("spins-in-migrations", refusals::the_admin_port_says_at_which_stage_and_why),
    ("spins-on-start", refusals::the_admin_port_says_at_which_stage_and_why),
    ("traps-on-start", refusals::the_command_says_at_which_stage_and_why),
    ("unhealthy", refusals::the_command_says_at_which_stage_and_why),
    ("wrong-world", refusals::the_command_says_at_which_stage_and_why),
];

#[test]
fn every_guest_has_a_test() {
    let sources = std::fs::read_dir(guest::sources()).expect("the folder of the guests");
    let guests: BTreeSet<String> = sources
        .map(|source| source.expect("an entry").path())
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let tested: BTreeSet<String> = GUESTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let untested: Vec<_> = guests.difference(&tested).collect();
    assert!(untested.is_empty(), "no test for {untested:?}: name one in {}", file!());
    let gone: Vec<_> = tested.difference(&guests).collect();
    assert!(gone.is_empty(), "tests for guests that are not there: {gone:?}");
}

#[test]
fn every_guest_is_compiled_and_says_what_it_is_for() {
    for (name, _) in GUESTS {
        assert!(guest::bytes(name).starts_with(b"\0asm\x0d\0\x01\0"), "{name} is not a component");
        let source = guest::sources().join(format!("{name}.rs"));
        let source = std::fs::read_to_string(source).expect("the source");
        assert!(source.starts_with("//! "), "{name} does not say what it is for");
    }
}
