const std = @import("std");

fn isPrime(k: u32) bool {
    var d: u32 = 2;
    while (d * d <= k) : (d += 1) {
        if (k % d == 0) return false;
    }
    return k >= 2;
}

fn countPrimes(n: u32) u32 {
    var found: u32 = 0;
    var k: u32 = 2;
    while (k <= n) : (k += 1) found += @intFromBool(isPrime(k));
    return found;
}

fn countWords(text: []const u8) u32 {
    var found: u32 = 0;
    var inside = false;
    for (text) |byte| {
        const space = std.ascii.isWhitespace(byte);
        found += @intFromBool(!space and !inside);
        inside = !space;
    }
    return found;
}

pub fn main(init: std.process.Init) !void {
    var args = try init.minimal.args.iterateAllocator(init.gpa);
    defer args.deinit();
    _ = args.skip();
    var n: u32 = 10000;
    if (args.next()) |given| {
        n = std.fmt.parseInt(u32, given, 10) catch {
            std.debug.print("{s} is no number\n", .{given});
            std.process.exit(2);
        };
    }
    var input = std.Io.File.stdin().readerStreaming(init.io, &.{});
    const text = try input.interface.allocRemaining(init.gpa, .unlimited);
    defer init.gpa.free(text);
    var block: [128]u8 = undefined;
    var output = std.Io.File.stdout().writerStreaming(init.io, &block);
    try output.interface.print("primes: {d}\nwords: {d}\n", .{ countPrimes(n), countWords(text) });
    try output.interface.flush();
}
