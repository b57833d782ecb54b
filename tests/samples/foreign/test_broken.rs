// A test file whose test does not compile.
//@ error: E0425
//@ line: 8
//@ test
#[test]
fn compares() {
    assert_eq!(1, 1);
    assert_eq!(bigger(1, 2), 2);
}
