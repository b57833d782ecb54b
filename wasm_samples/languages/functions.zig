const std = @import("std");

fn isPrime(k: u32) bool {
    var d: u32 = 2;
    while (d * d <= k) : (d += 1) {
        if (k % d == 0) return false;
    }
    return k >= 2;
}

/// How many primes there are up to and including n.
export fn count_primes(n: u32) u32 {
    var found: u32 = 0;
    var k: u32 = 2;
    while (k <= n) : (k += 1) found += @intFromBool(isPrime(k));
    return found;
}

/// How many runs of bytes that are no white space a text has.
export fn count_words(text: [*:0]const u8) u32 {
    var found: u32 = 0;
    var inside = false;
    for (std.mem.span(text)) |byte| {
        const space = std.ascii.isWhitespace(byte);
        found += @intFromBool(!space and !inside);
        inside = !space;
    }
    return found;
}
