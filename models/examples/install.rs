//! temporary
fn main() {
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let r = potluck_models::install(&dir, &mut |l| println!("{l}"));
    println!("{r:?}");
    if r.is_ok() {
        let e = potluck_models::Engine::start(&potluck_models::EngineConfig { data_dir: Some(dir), ..Default::default() }).unwrap();
        println!("{}", serde_json::to_string_pretty(e.info()).unwrap());
    } else if let Err(e) = r { println!("{e}"); }
}
