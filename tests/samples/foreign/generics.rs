// A generic stack with bounds, an associated type, a const parameter.
use std::fmt::Debug;

#[derive(Debug)]
struct Stack<T> {
    items: Vec<T>,
}

impl<T: Debug + Clone> Stack<T> {
    fn new() -> Self {
        Self { items: Vec::new() }
    }
    fn push(&mut self, item: T) -> &mut Self {
        self.items.push(item);
        self
    }
    fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }
}

impl<T> IntoIterator for Stack<T> {
    type Item = T;
    type IntoIter = std::iter::Rev<std::vec::IntoIter<T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter().rev()
    }
}

fn largest<T>(list: &[T]) -> Option<&T>
where
    T: PartialOrd,
{
    let mut iter = list.iter();
    let first = iter.next()?;
    Some(iter.fold(first, |best, item| if item > best { item } else { best }))
}

struct Grid<const WIDTH: usize, const HEIGHT: usize>([[u8; WIDTH]; HEIGHT]);

impl<const W: usize, const H: usize> Grid<W, H> {
    const CELLS: usize = W * H;
}

fn main() {
    let mut stack = Stack::new();
    stack.push("a").push("b").push("c");
    println!("{:?} {:?}", stack.pop(), stack);
    println!("{}", stack.into_iter().collect::<Vec<_>>().join("-"));
    println!("{:?} {:?} {:?}", largest(&[3, 9, 2]), largest(&['x', 'b']), largest::<f64>(&[]));
    let grid = Grid([[1u8; 4]; 3]);
    println!("{} {}", Grid::<4, 3>::CELLS, grid.0.iter().flatten().map(|x| *x as u32).sum::<u32>());
}
//> Some("c") Stack { items: ["a", "b"] }
//> b-a
//> Some(9) Some('x') None
//> 12 12
