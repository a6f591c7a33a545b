//! The rules of a call, one by one.

use super::*;
use crate::directory::tests::peer;
use PlanEffect::{Cancel, Finish, Rerank, Wake};

fn settings() -> PlanSettings {
    PlanSettings { deadline_at: 10_000, max_attempts: 6, hedge_after_ms: None, grace_ms: 3_000 }
}

fn ranking(peers: &[u64]) -> PlanEvent {
    ranking_of(peers, Repeat::Safe)
}

fn ranking_of(peers: &[u64], repeat: Repeat) -> PlanEvent {
    PlanEvent::Start(peers.iter().map(|n| ranked(*n, repeat)).collect())
}

/// Connected; number 99 is this node.
fn ranked(n: u64, repeat: Repeat) -> Ranked {
    Ranked { peer: peer(n), expected_ms: 10.0, me: n == 99, connected: true, met: true, repeat }
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
    PlanEvent::Lost { peer: peer(n), reached: true, own: false, why: "reset".into() }
}

fn unreached(n: u64) -> PlanEvent {
    PlanEvent::Lost { peer: peer(n), reached: false, own: false, why: "reset".into() }
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
fn bad_input_is_final_when_a_second_peer_or_this_node_says_so_or_nobody_is_left() {
    let fault = || Finish(PlanEnd::Failed(Fault::new(FaultKind::BadInput, "oh")));
    let bad = |n| failed(n, FaultKind::BadInput);
    let (mut plan, _) = start(settings(), &[1, 2, 3]);
    assert_eq!(plan.handle(failed(1, FaultKind::Internal), 1)[0], send(2, false));
    assert_eq!(plan.handle(bad(2), 2)[0], send(3, false));
    assert_eq!(plan.handle(bad(3), 3), [fault()]);

    let (mut plan, _) = start(settings(), &[1, 2, 99]);
    assert_eq!(plan.handle(bad(1), 1)[0], send(99, false), "this node judges first");
    assert_eq!(plan.handle(bad(99), 2), [fault()]);

    let (mut plan, _) = start(settings(), &[99, 1]);
    assert_eq!(plan.handle(bad(99), 1), [fault()]);

    let (mut plan, _) = start(settings(), &[1]);
    assert_eq!(plan.handle(bad(1), 1)[0], Rerank);
    assert_eq!(plan.handle(ranking(&[1]), 1), [fault()]);

    let (mut plan, _) = start(settings(), &[1, 2]);
    assert_eq!(plan.handle(bad(1), 1)[0], send(2, false));
    assert_eq!(plan.handle(answered(2), 2), [won(2)]);
    assert_eq!(plan.doubters().collect::<Vec<_>>(), [peer(1)]);
}

#[test]
fn what_is_not_understood_or_too_large_is_tried_with_all() {
    for kind in [FaultKind::NotUnderstood, FaultKind::TooLarge] {
        let (mut plan, _) = start(settings(), &[1, 2, 99, 3]);
        for (from, to) in [(1, 2), (2, 99), (99, 3)] {
            assert_eq!(plan.handle(failed(from, kind), 1)[0], send(to, false), "{kind:?}");
        }
    }
}

#[test]
fn who_is_not_there_uses_up_no_attempts_and_is_dialled_beside_others() {
    let all: Vec<u64> = (1..=40).collect();
    let (mut plan, _) = start(PlanSettings { max_attempts: 2, ..settings() }, &all);
    for n in 1..40 {
        assert_eq!(plan.handle(unreached(n), n)[0], send(n + 1, false));
    }
    assert_eq!(plan.handle(answered(40), 50), [won(40)]);

    let settings = PlanSettings { hedge_after_ms: Some(5_000), ..settings() };
    let mut plan = Plan::new(settings, 0);
    let away = |n| Ranked { connected: false, ..ranked(n, Repeat::Safe) };
    plan.handle(PlanEvent::Start([1, 2, 3, 4, 5].map(away).to_vec()), 0);
    for (n, at) in [(2, 300), (3, 600), (4, 900)] {
        assert_eq!(plan.handle(PlanEvent::Timer, at)[0], send(n, true));
    }
    assert_eq!(plan.handle(PlanEvent::Timer, 1_200), [Wake { at: 10_000 }], "four at most");
    assert_eq!(plan.handle(unreached(1), 1_300)[0], send(5, true));
    plan.handle(unreached(2), 1_301);
    let reached = plan.handle(PlanEvent::Reached { peer: peer(5) }, 1_302);
    assert_eq!(reached, [Wake { at: 10_000 }], "three copies wait three times as long");
}

#[test]
fn many_who_decline_are_no_veto() {
    for kind in [FaultKind::NotUnderstood, FaultKind::TooLarge, FaultKind::NotOffered] {
        let mut all: Vec<u64> = (1..=20).collect();
        all.push(99);
        let (mut plan, _) = start(PlanSettings { max_attempts: 2, ..settings() }, &all);
        plan.handle(failed(1, kind), 1);
        // This node itself is asked soon, whoever is said to be faster.
        assert_eq!(plan.handle(failed(2, kind), 2)[0], send(99, false), "{kind:?}");
        assert_eq!(plan.handle(answered(99), 3), [won(99)]);

        let (mut plan, _) = start(PlanSettings { max_attempts: 2, ..settings() }, &all[..20]);
        for n in 1..20 {
            assert_eq!(plan.handle(failed(n, kind), n)[0], send(n + 1, false), "{kind:?}");
        }
        assert_eq!(plan.handle(answered(20), 30), [won(20)]);
    }
}

#[test]
fn made_up_peers_do_not_end_the_wait_for_a_busy_one() {
    let mut all = vec![ranked(1, Repeat::Safe)];
    all.extend((2..200).map(|n| Ranked { met: false, ..ranked(n, Repeat::Safe) }));
    let mut plan = Plan::new(settings(), 0);
    plan.handle(PlanEvent::Start(all.clone()), 0);
    let mut effects = plan.handle(busy(1, 2_000), 1);
    let mut tried = 0;
    while let Some(PlanEffect::Send { peer, .. }) = effects.first().cloned() {
        let why = "refused".into();
        effects = plan.handle(PlanEvent::Lost { peer, reached: false, own: false, why }, 2);
        tried += 1;
    }
    assert_eq!((tried, &effects[..]), (64, &[Wake { at: 2_001 }][..]), "and then it waits");
    assert_eq!(plan.handle(PlanEvent::Timer, 2_001)[0], Rerank);
    assert_eq!(plan.handle(PlanEvent::Start(all), 2_001)[0], send(1, false));
    assert_eq!(plan.handle(answered(1), 2_100), [won(1)]);
}

#[test]
fn trouble_of_this_node_counts_against_nobody() {
    let own = || PlanEvent::Lost { peer: peer(1), reached: false, own: true, why: "full".into() };
    let (mut plan, _) = start(PlanSettings { max_attempts: 1, ..settings() }, &[1]);
    let mut now = 0;
    for pause in [50, 100, 200, 400] {
        assert_eq!(plan.handle(own(), now), [Wake { at: now + pause }]);
        now += pause;
        assert_eq!(plan.handle(PlanEvent::Timer, now)[0], Rerank);
        assert_eq!(plan.handle(ranking(&[1]), now)[0], send(1, false));
    }
    assert_eq!(plan.handle(answered(1), now), [won(1)]);
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
fn what_costs_or_changes_something_is_not_sent_twice() {
    use FaultKind::{
        BadInput, InputLost, Internal, NoVariant, NotOffered, NotUnderstood, TooLarge,
    };
    let settings = PlanSettings { hedge_after_ms: Some(200), ..settings() };
    let start = |repeat| {
        let mut plan = Plan::new(settings.clone(), 0);
        assert_eq!(plan.handle(ranking_of(&[1, 2], repeat), 0)[0], send(1, false));
        assert_eq!(plan.handle(PlanEvent::Timer, 300), [Wake { at: 10_000 }], "no second copy");
        plan
    };
    for repeat in [Repeat::Costly, Repeat::Never] {
        let on = [busy(1, 100), refused(1), unreached(1)];
        let faults = [NotOffered, NoVariant, NotUnderstood, TooLarge].map(|kind| failed(1, kind));
        for event in on.into_iter().chain(faults) {
            assert_eq!(start(repeat).handle(event.clone(), 300)[0], send(2, false), "{event:?}");
        }
        let end = start(repeat).handle(lost(1), 300);
        assert!(matches!(end[..], [Finish(PlanEnd::AllFailed { .. })]), "{end:?}");
        let end = start(repeat).handle(failed(1, BadInput), 300);
        assert!(matches!(end[..], [Finish(PlanEnd::Failed(_))]), "{end:?}");
    }
    // Who says that it failed is not paid any more; what may never run twice may have run in part.
    for kind in [InputLost, Internal] {
        assert_eq!(start(Repeat::Costly).handle(failed(1, kind), 300)[0], send(2, false));
        assert!(matches!(start(Repeat::Never).handle(failed(1, kind), 300)[..], [Finish(_)]));
    }
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
