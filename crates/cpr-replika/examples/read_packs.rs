//! A reader service: answers numbers on standard input from the packs that another process writes, night after night.
//! `cargo run -p cpr-replika --example read_packs -- DIR`

use cpr_replika::Packed;
use cpr_replika::cpr_model::Pnr;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let packed = Packed::open(std::env::args_os().nth(1).ok_or("which folder of packs?")?)?;
    for line in std::io::stdin().lines() {
        packed.poll()?; // The small file CURRENT says whether there is a new delivery.
        let snapshot = packed.snapshot(); // One delivery, whole, for as long as it is held.
        let Some(pnr) = Pnr::parse(line?.trim().as_bytes()) else {
            println!("a number has ten digits");
            continue;
        };
        match snapshot.person(pnr)? {
            Some(person) => println!("delivery {}: {} facts hold", snapshot.known(), person.facts().count()),
            None => println!("delivery {}: not held", snapshot.known()),
        }
    }
    Ok(())
}
