// Traits with default methods, operators, trait objects, and Display for a type of one's own.
use std::fmt;
use std::ops::{Add, Mul};

trait Shape {
    fn area(&self) -> f64;
    fn name(&self) -> String {
        String::from("some shape")
    }
}

struct Circle(f64);
struct Square {
    side: f64,
}

impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.0.powi(2)
    }
    fn name(&self) -> String {
        "circle".into()
    }
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.side * self.side
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Vec2 {
    x: f64,
    y: f64,
}

impl Add for Vec2 {
    type Output = Vec2;
    fn add(self, other: Vec2) -> Vec2 {
        Vec2 { x: self.x + other.x, y: self.y + other.y }
    }
}

impl Mul<f64> for Vec2 {
    type Output = Vec2;
    fn mul(self, by: f64) -> Vec2 {
        Vec2 { x: self.x * by, y: self.y * by }
    }
}

impl fmt::Display for Vec2 {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(places) = f.precision() {
            write!(f, "({:.*}, {:.*})", places, self.x, places, self.y)
        } else {
            write!(f, "({}, {})", self.x, self.y)
        }
    }
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Circle(1.0)), Box::new(Square { side: 2.0 })];
    for shape in &shapes {
        println!("{}: {:.2}", shape.name(), shape.area());
    }
    let total: f64 = shapes.iter().map(|s| s.area()).sum();
    println!("total {total:.3}");
    println!("{} {:.2}", Vec2 { x: 1.0, y: 2.5 } + Vec2::default(), Vec2 { x: 1.0, y: 3.0 } * 0.5);
    println!("{:?}", Vec2::default());
}
//> circle: 3.14
//> some shape: 4.00
//> total 7.142
//> (1, 2.5) (0.50, 1.50)
//> Vec2 { x: 0.0, y: 0.0 }
