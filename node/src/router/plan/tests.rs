//! The rules of a call, one by one.

use super::*;
use crate::directory::tests::peer;
use PlanEffect::{Cancel, Finish, Rerank, Wake};

fn settings() -> PlanSettings {
    PlanSettings {
        deadline_at: 10_000,
        max_attempts: 6,
        hedge_after_ms: None,
        idempotent: true,
        grace_ms: 3_000,
    }
}

fn ranking(peers: &[u64]) -> PlanEvent {
    PlanEvent::Start(peers.iter().map(|n| Ranked { peer: peer(*n), expected_ms: 10.0 }).collect())
}

fn start(settings: PlanSettings, peers: &[u64]) -> (Plan, Vec<PlanEffect>) {
    let mut plan = Plan::new(settings, 0);
    let effects = plan.handle(ranking(peers), 0);
    (plan, effects)
}

fn send(n: u64, hedge: bool) -> PlanEffect {
    PlanEffect::Send { peer: peer(n), expected_ms: 10.0, hedge }
}

fn busy(n: u64, retry_after_ms: u64) -> PlanEvent {
    PlanEvent::Busy { peer: peer(n), retry_after_ms }
}

fn lost(n: u64) -> PlanEvent {
    PlanEvent::Lost { peer: peer(n), why: "reset".into() }
}

fn refused(n: u64) -> PlanEvent {
    PlanEvent::Refused { peer: peer(n), reason: format!("no {n}") }
}

fn failed(n: u64, kind: FaultKind) -> PlanEvent {
    PlanEvent::Failed { peer: peer(n), fault: Fault::new(kind, "oh") }
}

fn answered(n: u64) -> PlanEvent {
    PlanEvent::Answered { peer: peer(n) }
}

fn won(n: u64) -> PlanEffect {
    Finish(PlanEnd::Answered { peer: peer(n) })
}

fn outcomes(plan: &Plan) -> Vec<HopOutcome> {
    plan.route().iter().map(|hop| hop.outcome.clone()).collect()
}

#[test]
fn the_best_peer_answers() {
    let (mut plan, effects) = start(settings(), &[1, 2]);
    assert_eq!(effects, [send(1, false), Wake { at: 10_000 }]);
    assert_eq!(plan.handle(answered(1), 30), [won(1)]);
    assert_eq!(plan.handle(answered(1), 31), [], "a finished call is finished");
    assert_eq!(plan.route()[0].ended_at, Some(30));
    assert_eq!(outcomes(&plan), [HopOutcome::Answered]);
}

#[test]
fn a_lost_peer_is_followed_by_the_next_within_the_same_deadline() {
    let (mut plan, _) = start(settings(), &[1, 2]);
    assert_eq!(plan.handle(lost(1), 9_000), [send(2, false), Wake { at: 10_000 }]);
    assert_eq!(plan.handle(answered(1), 9_001), [Wake { at: 10_000 }], "too late to count");
    assert_eq!(
        plan.handle(PlanEvent::Timer, 10_000),
        [Cancel { peer: peer(2) }, Finish(PlanEnd::TimedOut)]
    );
    assert_eq!(outcomes(&plan), [HopOutcome::Lost("reset".into()), HopOutcome::Cancelled]);
}

#[test]
fn bad_input_is_final_and_other_faults_are_not() {
    let (mut plan, _) = start(settings(), &[1, 2, 3]);
    assert_eq!(plan.handle(failed(1, FaultKind::Internal), 1)[0], send(2, false));
    assert_eq!(plan.handle(failed(2, FaultKind::NoVariant), 2)[0], send(3, false));
    let fault = Fault::new(FaultKind::BadInput, "oh");
    assert_eq!(plan.handle(failed(3, FaultKind::BadInput), 3), [Finish(PlanEnd::Failed(fault))]);
}

#[test]
fn when_all_are_busy_it_waits_for_the_first_to_be_free() {
    let (mut plan, _) = start(settings(), &[1, 2]);
    assert_eq!(plan.handle(busy(1, 700), 0)[0], send(2, false));
    assert_eq!(plan.handle(busy(2, 300), 10), [Wake { at: 310 }]);
    assert_eq!(plan.handle(PlanEvent::Timer, 200), [Wake { at: 310 }], "too early");
    assert_eq!(plan.handle(PlanEvent::Timer, 310)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[1, 2]), 310)[0], send(2, false), "1 is still busy");
    assert_eq!(plan.handle(busy(2, 60_000), 320), [Wake { at: 700 }]);
}

#[test]
fn endless_busy_ends_at_the_deadline_with_a_bounded_route() {
    let (mut plan, mut effects) = start(settings(), &[1]);
    let mut now = 0;
    for _ in 0..10_000 {
        now = match effects.last() {
            Some(Wake { at }) => *at,
            Some(Finish(end)) => {
                assert_eq!(*end, PlanEnd::TimedOut);
                assert_eq!(now, 10_000);
                assert!(plan.route().len() <= MAX_HOPS);
                return;
            }
            other => panic!("{other:?}"),
        };
        effects = plan.handle(PlanEvent::Timer, now);
        if effects.contains(&Rerank) {
            effects = plan.handle(ranking(&[1]), now);
            assert_eq!(effects[0], send(1, false));
            effects = plan.handle(busy(1, 0), now);
        } else if effects.last() == Some(&Wake { at: 10_000 }) {
            effects = plan.handle(busy(1, 0), now);
        }
    }
    panic!("the call never ended");
}

#[test]
fn refused_by_all_and_failed_by_all() {
    let (mut plan, _) = start(settings(), &[1, 2]);
    assert_eq!(plan.handle(refused(1), 1)[0], send(2, false));
    assert_eq!(plan.handle(refused(2), 2)[0], Rerank);
    assert_eq!(
        plan.handle(ranking(&[1, 2]), 2),
        [Finish(PlanEnd::Refused { reason: "no 2".into() })]
    );

    let (mut plan, _) = start(settings(), &[1, 2]);
    plan.handle(failed(1, FaultKind::Internal), 1);
    plan.handle(refused(2), 2);
    let last = Fault::new(FaultKind::Internal, "oh");
    assert_eq!(plan.handle(ranking(&[1, 2]), 2), [Finish(PlanEnd::AllFailed { last })]);
}

#[test]
fn a_new_candidate_is_found_before_giving_up() {
    let (mut plan, _) = start(settings(), &[1]);
    assert_eq!(plan.handle(refused(1), 1)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[1, 9]), 1)[0], send(9, false));
}

#[test]
fn a_lost_peer_is_tried_once_more_when_nobody_else_is_left() {
    let (mut plan, _) = start(settings(), &[1]);
    assert_eq!(plan.handle(lost(1), 100), [Wake { at: 600 }]);
    assert_eq!(plan.handle(PlanEvent::Timer, 600)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[1]), 600)[0], send(1, false));
    assert_eq!(plan.handle(lost(1), 700)[0], Rerank);
    let last = Fault::internal("reset");
    assert_eq!(plan.handle(ranking(&[1]), 700), [Finish(PlanEnd::AllFailed { last })]);
}

#[test]
fn attempts_are_limited_but_busy_ones_do_not_count() {
    let settings = PlanSettings { max_attempts: 2, ..settings() };
    let (mut plan, _) = start(settings, &[1, 2, 3, 4]);
    assert_eq!(plan.handle(busy(1, 5_000), 0)[0], send(2, false));
    assert_eq!(plan.handle(lost(2), 0)[0], send(3, false));
    let last = Fault::internal("reset");
    assert_eq!(plan.handle(lost(3), 0), [Finish(PlanEnd::AllFailed { last })]);
}

#[test]
fn the_first_answer_wins_and_the_other_copy_is_cancelled() {
    for (winner, loser) in [(1, 2), (2, 1)] {
        let settings = PlanSettings { hedge_after_ms: Some(200), ..settings() };
        let (mut plan, effects) = start(settings, &[1, 2, 3]);
        assert_eq!(effects, [send(1, false), Wake { at: 200 }]);
        let hedge = plan.handle(PlanEvent::Timer, 200);
        assert_eq!(hedge, [send(2, true), Wake { at: 600 }], "the next copy waits twice as long");
        assert_eq!(plan.handle(answered(winner), 300), [Cancel { peer: peer(loser) }, won(winner)]);
        assert!(plan.route()[1].hedge && !plan.route()[0].hedge);
    }
}

#[test]
fn when_one_copy_fails_the_other_goes_on() {
    let settings = PlanSettings { hedge_after_ms: Some(200), ..settings() };
    let (mut plan, _) = start(settings, &[1, 2, 3]);
    plan.handle(PlanEvent::Timer, 200);
    assert_eq!(plan.handle(lost(1), 250), [Wake { at: 400 }]);
    assert_eq!(plan.handle(busy(2, 100), 260)[0], send(3, false));
    assert_eq!(plan.handle(answered(3), 300), [won(3)]);
}

#[test]
fn silent_peers_do_not_keep_a_call_from_the_next() {
    let settings = PlanSettings { hedge_after_ms: Some(200), ..settings() };
    let (mut plan, _) = start(settings, &[1, 2]);
    assert_eq!(plan.handle(PlanEvent::Timer, 200)[0], send(2, true));
    // Both are silent and nobody else is known: a peer that joined since gets the call.
    assert_eq!(plan.handle(PlanEvent::Timer, 600)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[1, 2]), 600), [Wake { at: 800 }]);
    assert_eq!(plan.handle(PlanEvent::Timer, 800)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[1, 2, 3]), 800), [Wake { at: 1_000 }]);
    assert_eq!(plan.handle(PlanEvent::Timer, 1_000)[0], send(3, true));
    let end = plan.handle(answered(3), 1_100);
    assert_eq!(end, [Cancel { peer: peer(1) }, Cancel { peer: peer(2) }, won(3)]);
}

#[test]
fn what_must_not_run_twice_is_neither_hedged_nor_repeated() {
    let settings = PlanSettings { hedge_after_ms: Some(200), idempotent: false, ..settings() };
    let (mut plan, effects) = start(settings.clone(), &[1, 2]);
    assert_eq!(effects, [send(1, false), Wake { at: 10_000 }]);
    assert_eq!(plan.handle(PlanEvent::Timer, 300), [Wake { at: 10_000 }]);
    assert_eq!(plan.handle(busy(1, 100), 300)[0], send(2, false), "busy did not begin");
    let last = Fault::internal("reset");
    assert_eq!(plan.handle(lost(2), 400), [Finish(PlanEnd::AllFailed { last })]);

    let (mut plan, _) = start(settings, &[1, 2]);
    assert_eq!(plan.handle(failed(1, FaultKind::NotOffered), 1)[0], send(2, false));
}

#[test]
fn nobody_is_waited_for_only_during_the_grace() {
    let (mut plan, effects) = start(settings(), &[]);
    assert_eq!(effects, [Wake { at: 5 }]);
    assert_eq!(plan.handle(PlanEvent::Timer, 5)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[]), 2_998), [Wake { at: 3_000 }]);
    assert_eq!(plan.handle(PlanEvent::Timer, 3_000)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[]), 3_000), [Finish(PlanEnd::NobodyOffers)]);

    let (mut plan, _) = start(settings(), &[]);
    plan.handle(PlanEvent::Timer, 5);
    assert_eq!(plan.handle(ranking(&[4]), 6)[0], send(4, false));

    let (_, effects) = start(PlanSettings { grace_ms: 0, ..settings() }, &[]);
    assert_eq!(effects, [Finish(PlanEnd::NobodyOffers)]);
}

#[test]
fn events_before_the_first_ranking_end_nothing() {
    let mut plan = Plan::new(PlanSettings { grace_ms: 0, ..settings() }, 0);
    assert_eq!(plan.handle(PlanEvent::Timer, 1), [Wake { at: 10_000 }]);
    assert_eq!(plan.handle(lost(3), 1), [Wake { at: 10_000 }]);
    assert_eq!(plan.handle(ranking(&[1]), 2)[0], send(1, false));
}

#[test]
fn the_caller_can_cancel() {
    let (mut plan, _) = start(settings(), &[1]);
    assert_eq!(
        plan.handle(PlanEvent::CancelledByCaller, 5),
        [Cancel { peer: peer(1) }, Finish(PlanEnd::Cancelled)]
    );
    assert_eq!(plan.handle(PlanEvent::Timer, 10_000), []);
}
