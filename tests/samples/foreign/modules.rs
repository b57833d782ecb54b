// Modules within one file, visibility, `use` of enums, constants, nested paths.
mod garden {
    pub mod vegetables {
        #[derive(Debug)]
        pub struct Asparagus {
            pub stalks: u8,
            weight: super::Grams,
        }

        impl Asparagus {
            pub fn new(stalks: u8) -> Self {
                Self { stalks, weight: super::Grams(u32::from(stalks) * super::WEIGHT) }
            }
            pub fn weight(&self) -> u32 {
                self.weight.0
            }
        }
    }

    const WEIGHT: u32 = 20;

    #[derive(Debug)]
    struct Grams(u32);

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Season {
        Spring = 1,
        Summer,
        Autumn = 10,
    }
}

use garden::Season::{self, *};
use garden::vegetables::Asparagus as Plant;

fn main() {
    let plant = Plant::new(3);
    println!("{plant:?} {} {}", plant.stalks, plant.weight());
    println!("{:?} {} {}", Spring, Summer as i32, Autumn > Season::Summer);
}
//> Asparagus { stalks: 3, weight: Grams(60) } 3 60
//> Spring 2 true
