//! The Sun and its four giant planets, moved step by step: floating-point arithmetic.
//!
//! The problem, its starting values and its known answers are those of "n-body" in the
//! Computer Language Benchmarks Game: a symplectic integrator (first all velocities from all
//! pairs, then all places) with steps of 0.01 years, and the energy of the whole
//! system as the check, which would stay constant if the steps were infinitely small.
//!
//! Lengths are in astronomical units, times in years, masses such that the Sun has 4π².
//!
//! ```console
//! $ wasm-lab run --invoke energy_after kernels/n_body.rs 1000
//! -0.169087605...
//! $ wasm-lab test kernels/n_body.rs
//! ...
//! ```

const SOLAR_MASS: f64 = 4.0 * std::f64::consts::PI * std::f64::consts::PI;
const DAYS_PER_YEAR: f64 = 365.24;
const STEP: f64 = 0.01;

#[derive(Clone, Copy)]
struct Body {
    place: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

/// A body from its place, its velocity in units a day, and its mass in Suns.
const fn body(place: [f64; 3], [x, y, z]: [f64; 3], mass: f64) -> Body {
    let velocity = [x * DAYS_PER_YEAR, y * DAYS_PER_YEAR, z * DAYS_PER_YEAR];
    Body { place, velocity, mass: mass * SOLAR_MASS }
}

const SUN: Body = body([0.0; 3], [0.0; 3], 1.0);
const JUPITER: Body = body(
    [4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01],
    [1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05],
    9.54791938424326609e-04,
);
const SATURN: Body = body(
    [8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01],
    [-2.76742510726411862e-03, 4.99852801234917238e-03, 2.30417297573763929e-05],
    2.85885980666130812e-04,
);
const URANUS: Body = body(
    [1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01],
    [2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05],
    4.36624404335156298e-05,
);
const NEPTUNE: Body = body(
    [1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01],
    [2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05],
    5.15138902046611451e-05,
);

/// All bodies, with the Sun moving so that the total momentum is zero.
fn solar_system() -> [Body; 5] {
    let mut bodies = [SUN, JUPITER, SATURN, URANUS, NEPTUNE];
    let mut momentum = [0.0; 3];
    for body in &bodies {
        for axis in 0..3 {
            momentum[axis] += body.velocity[axis] * body.mass;
        }
    }
    bodies[0].velocity = momentum.map(|part| -part / SOLAR_MASS);
    bodies
}

fn difference(a: &Body, b: &Body) -> ([f64; 3], f64) {
    let [dx, dy, dz] = [0, 1, 2].map(|axis| a.place[axis] - b.place[axis]);
    ([dx, dy, dz], dx * dx + dy * dy + dz * dz)
}

fn advance(bodies: &mut [Body; 5]) {
    for first in 0..bodies.len() {
        let (head, tail) = bodies.split_at_mut(first + 1);
        let a = &mut head[first];
        for b in tail {
            let (apart, squared) = difference(a, b);
            let strength = STEP / (squared * squared.sqrt());
            for axis in 0..3 {
                a.velocity[axis] -= apart[axis] * b.mass * strength;
                b.velocity[axis] += apart[axis] * a.mass * strength;
            }
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.place[axis] += STEP * body.velocity[axis];
        }
    }
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut total = 0.0;
    for (first, a) in bodies.iter().enumerate() {
        let [x, y, z] = a.velocity;
        total += 0.5 * a.mass * (x * x + y * y + z * z);
        for b in &bodies[first + 1..] {
            total -= a.mass * b.mass / difference(a, b).1.sqrt();
        }
    }
    total
}

fn after(steps: u32) -> [Body; 5] {
    let mut bodies = solar_system();
    for _ in 0..steps {
        advance(&mut bodies);
    }
    bodies
}

/// The energy of the system after so many steps.
pub fn energy_after(steps: u32) -> f64 {
    energy(&after(steps))
}

/// Where the bodies are after so many steps: x, y and z of the Sun, Jupiter, Saturn, Uranus, Neptune.
pub fn places_after(steps: u32) -> Vec<f64> {
    after(steps).iter().flat_map(|body| body.place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // What the Benchmarks Game publishes for 0 and 1000 steps, to nine places; the value for
    // 100,000 steps is the one that programs in many languages print.
    #[test]
    fn published_energies() {
        assert_eq!(format!("{:.9}", energy_after(0)), "-0.169075164");
        assert_eq!(format!("{:.9}", energy_after(1_000)), "-0.169087605");
        assert_eq!(format!("{:.9}", energy_after(100_000)), "-0.169079859");
    }

    #[test]
    fn momentum_stays_zero() {
        let bodies = after(1_000);
        for axis in 0..3 {
            let momentum: f64 = bodies.iter().map(|body| body.velocity[axis] * body.mass).sum();
            assert!(momentum.abs() < 1e-15, "{momentum}");
        }
    }

    #[test]
    fn places_start_where_the_problem_puts_them() {
        let places = places_after(0);
        assert_eq!(places.len(), 15);
        assert_eq!(places[..3], [0.0; 3]);
        assert_eq!(places[3..6], JUPITER.place);
    }
}
