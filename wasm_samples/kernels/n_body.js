// n_body.rs in JavaScript. Objects with fields of their own, not arrays within: V8 keeps a field
// that is always a float unboxed, and reaches it without a bounds check.
"use strict";

const SOLAR_MASS = 4 * Math.PI * Math.PI;
const DAYS_PER_YEAR = 365.24;
const STEP = 0.01;

class Body {
  constructor(x, y, z, vx, vy, vz, mass) {
    this.x = x;
    this.y = y;
    this.z = z;
    this.vx = vx * DAYS_PER_YEAR;
    this.vy = vy * DAYS_PER_YEAR;
    this.vz = vz * DAYS_PER_YEAR;
    this.mass = mass * SOLAR_MASS;
  }
}

// Place, velocity in units a day, and mass in Suns, from the Computer Language Benchmarks Game.
function solarSystem() {
  const bodies = [
    new Body(0, 0, 0, 0, 0, 0, 1),
    new Body(
      4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
      1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05,
      9.54791938424326609e-04,
    ),
    new Body(
      8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
      -2.76742510726411862e-03, 4.99852801234917238e-03, 2.30417297573763929e-05,
      2.85885980666130812e-04,
    ),
    new Body(
      1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
      2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05,
      4.36624404335156298e-05,
    ),
    new Body(
      1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
      2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05,
      5.15138902046611451e-05,
    ),
  ];
  let px = 0, py = 0, pz = 0;
  for (const body of bodies) {
    px += body.vx * body.mass;
    py += body.vy * body.mass;
    pz += body.vz * body.mass;
  }
  bodies[0].vx = -px / SOLAR_MASS;
  bodies[0].vy = -py / SOLAR_MASS;
  bodies[0].vz = -pz / SOLAR_MASS;
  return bodies;
}

function advance(bodies) {
  const count = bodies.length;
  for (let i = 0; i < count; i++) {
    const a = bodies[i];
    for (let j = i + 1; j < count; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      const squared = dx * dx + dy * dy + dz * dz;
      const strength = STEP / (squared * Math.sqrt(squared));
      a.vx -= dx * b.mass * strength;
      a.vy -= dy * b.mass * strength;
      a.vz -= dz * b.mass * strength;
      b.vx += dx * a.mass * strength;
      b.vy += dy * a.mass * strength;
      b.vz += dz * a.mass * strength;
    }
  }
  for (let i = 0; i < count; i++) {
    const body = bodies[i];
    body.x += STEP * body.vx;
    body.y += STEP * body.vy;
    body.z += STEP * body.vz;
  }
}

function after(steps) {
  const bodies = solarSystem();
  for (let i = 0; i < steps; i++) advance(bodies);
  return bodies;
}

// The energy of the system after so many steps.
function energy_after(steps) {
  const bodies = after(steps);
  let total = 0;
  for (let i = 0; i < bodies.length; i++) {
    const a = bodies[i];
    total += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
    for (let j = i + 1; j < bodies.length; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      total -= (a.mass * b.mass) / Math.sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return total;
}

// Where the bodies are after so many steps: x, y and z of each.
function places_after(steps) {
  return Float64Array.from(after(steps).flatMap((body) => [body.x, body.y, body.z]));
}
