//! What must hold in a mesh of 300 directories, whatever happens in it.

use std::collections::BTreeSet;

use potluck::directory::Settings;
use rand::RngExt as _;

use super::{
    mesh::{GONE_MS, Mesh, State},
    seeded,
};

fn grown(test: &str, nodes: usize) -> Mesh {
    let mut mesh = Mesh::new(seeded(test), Settings::new("simulated"));
    for _ in 0..nodes {
        mesh.join();
        let pause = mesh.rng.random_range(0..100);
        mesh.run(pause);
    }
    mesh
}

/// After a quiet time all directories are the set of running nodes, and have one root.
fn assert_settled(mesh: &Mesh, when: &str) {
    let wrong = mesh.wrong();
    assert!(
        wrong.is_empty(),
        "{when}: {} directories are wrong, such as (node, missing, ghosts) {:?}",
        wrong.len(),
        &wrong[0]
    );
    let roots: BTreeSet<_> = mesh.running().iter().map(|n| mesh.directory(*n).root()).collect();
    assert_eq!(roots.len(), 1, "{when}: the digests differ");
    let mut connections: Vec<_> = mesh.running().iter().map(|n| mesh.connections(*n)).collect();
    connections.sort_unstable();
    let most = connections.last().copied().unwrap_or(0);
    assert!(most <= 40, "{when}: a node has {most} connections");
    println!(
        "{when}: {} nodes, {} connections at the median, {most} at most; so far {} rumours, {} dials",
        connections.len(),
        connections[connections.len() / 2],
        mesh.gossiped,
        mesh.dialled,
    );
}

#[test]
fn three_hundred_nodes_with_churn() {
    let mut mesh = grown("three_hundred_nodes_with_churn", 300);
    mesh.run(20_000);
    assert_settled(&mesh, "after the start");

    let mut died = Vec::new();
    let mut paused = Vec::new();
    for round in 0..48 {
        let n = mesh.any_running();
        match round % 4 {
            0 => {
                mesh.join();
            }
            1 => {
                mesh.goodbye(n);
                died.push((mesh.now, n));
            }
            2 => {
                mesh.kill(n);
                died.push((mesh.now, n));
            }
            _ => {
                mesh.pause(n);
                let for_ms = mesh.rng.random_range(1_000..40_000);
                paused.push((mesh.now + for_ms, n));
            }
        }
        let pause = mesh.rng.random_range(0..2_000);
        mesh.run(pause);
        resume(&mut mesh, &mut paused);
        assert_forgotten(&mesh, &died);
    }
    while !paused.is_empty() {
        mesh.run(1_000);
        resume(&mut mesh, &mut paused);
    }
    mesh.run(GONE_MS);
    assert_forgotten(&mesh, &died);
    assert_settled(&mesh, "after the churn");
}

fn assert_forgotten(mesh: &Mesh, died: &[(u64, usize)]) {
    for (at, n) in died {
        if mesh.forgettable(*at) {
            assert!(
                mesh.knowing(*n).is_empty(),
                "node {n} died at {at} and is known at {}",
                mesh.now
            );
        }
    }
}

fn resume(mesh: &mut Mesh, paused: &mut Vec<(u64, usize)>) {
    let now = mesh.now;
    paused.retain(|(until, n)| {
        let due = now >= *until;
        if due {
            mesh.resume(*n);
        }
        !due
    });
}

#[test]
fn killed_and_paused_nodes_vanish_quickly() {
    let mut mesh = grown("killed_and_paused_nodes_vanish_quickly", 120);
    mesh.run(30_000);
    for pause in [false, true] {
        let victims: BTreeSet<usize> = (0..5).map(|_| mesh.any_running()).collect();
        for n in &victims {
            if pause {
                mesh.pause(*n);
            } else {
                mesh.kill(*n);
            }
        }
        let mut half_gone = None;
        for step in 1..=GONE_MS / 250 {
            mesh.run(250);
            let known: usize = victims.iter().map(|n| mesh.knowing(*n).len()).sum();
            if known * 2 < mesh.running().len() * victims.len() {
                half_gone.get_or_insert(step * 250);
            }
            if known == 0 {
                println!("pause {pause}: half gone after {half_gone:?} ms, all {} ms", step * 250);
                break;
            }
        }
        for n in &victims {
            assert!(mesh.knowing(*n).is_empty(), "pause {pause}");
        }
        victims.iter().filter(|_| pause).for_each(|n| mesh.resume(*n));
    }
    mesh.run(40_000);
    assert_settled(&mesh, "after the kills and pauses");
}

#[test]
fn a_partition_heals() {
    let mut mesh = grown("a_partition_heals", 120);
    mesh.run(30_000);
    mesh.partition(true);
    mesh.run(60_000);
    for n in mesh.running() {
        let others = mesh.directory(n).len();
        assert_eq!(others, 59, "each half knows itself");
    }
    mesh.partition(false);
    mesh.run(90_000);
    assert_settled(&mesh, "after the partition");
}

#[test]
fn a_restarted_node_comes_back_even_with_its_clock_set_back() {
    let mut mesh = grown("a_restarted_node_comes_back_even_with_its_clock_set_back", 60);
    mesh.run(20_000);
    for (clock_back_ms, away_ms) in [(0, 5_000), (500_000, 100), (500_000, 30_000)] {
        let n = mesh.any_running();
        mesh.kill(n);
        mesh.run(away_ms);
        mesh.restart(n, clock_back_ms);
        assert_eq!(mesh.state(n), State::Running);
        mesh.run(60_000);
        assert_settled(&mesh, &format!("back after {away_ms} ms, clock −{clock_back_ms} ms"));
    }
    assert_eq!(mesh.len(), 60);
}
