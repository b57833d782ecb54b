// Parsing, widths, and the four ways to add.
fn main() {
    println!("{:?} {:?}", "255".parse::<u8>(), "256".parse::<u8>().map_err(|e| e.to_string()));
    println!("{:?}", "-1".parse::<u32>().map_err(|e| e.to_string()));
    println!("{:?} {:?}", i64::from_str_radix("-ff", 16), "3.5".parse::<f32>());
    println!("{:?} {:?}", 250u8.checked_add(10), 250u8.overflowing_add(10));
    println!("{} {}", 250u8.wrapping_add(10), 250u8.saturating_add(10));
    println!("{} {} {}", -7 / 2, -7 % 2, (-7i32).rem_euclid(2));
    println!("{} {} {}", 300i32 as u8, -1i32 as u32, f64::NAN as i32);
    println!("{} {}", usize::MAX, std::mem::size_of::<&str>());
    println!("{}", u128::MAX);
    println!("{:#x} {:#010b} {:e}", 255, 5, 1234.5);
    println!("{}", 1_000_000i64.pow(3));
    println!("{:?} {:?}", 0.1 + 0.2, (0.1f32 + 0.2f32) as f64);
}
//> Ok(255) Err("number too large to fit in target type")
//> Err("invalid digit found in string")
//> Ok(-255) Ok(3.5)
//> None (4, true)
//> 4 255
//> -3 -1 1
//> 44 4294967295 0
//> 4294967295 8
//> 340282366920938463463374607431768211455
//> 0xff 0b00000101 1.2345e3
//> 1000000000000000000
//> 0.30000000000000004 0.30000001192092896
