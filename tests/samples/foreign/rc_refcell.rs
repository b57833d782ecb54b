// Shared ownership, a tree with weak parents, and borrowing twice at run time.
//@ trap: panic
//@ stderr: RefCell already borrowed
use std::cell::RefCell;
use std::rc::{Rc, Weak};

#[derive(Debug)]
struct Node {
    value: i32,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        println!("dropping {}", self.value);
    }
}

fn main() {
    let leaf = Rc::new(Node { value: 3, parent: RefCell::default(), children: RefCell::default() });
    println!("{}", leaf.parent.borrow().upgrade().is_none());
    {
        let branch =
            Rc::new(Node { value: 5, parent: RefCell::default(), children: RefCell::new(vec![Rc::clone(&leaf)]) });
        *leaf.parent.borrow_mut() = Rc::downgrade(&branch);
        println!("parent {:?}", leaf.parent.borrow().upgrade().map(|p| p.value));
        println!("{} {}", Rc::strong_count(&leaf), Rc::weak_count(&branch));
    }
    println!("{}", Rc::strong_count(&leaf));
    let _first = leaf.children.borrow();
    leaf.children.borrow_mut().clear();
}
//> true
//> parent Some(5)
//> 2 1
//> dropping 5
//> 1
