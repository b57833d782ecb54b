#include <algorithm>
#include <cctype>
#include <cstdint>
#include <ranges>
#include <string_view>

namespace {
bool is_prime(std::uint32_t k) {
    for (std::uint32_t d = 2; d * d <= k; d++) {
        if (k % d == 0) return false;
    }
    return k >= 2;
}
}  // namespace

// How many primes there are up to and including n.
extern "C" std::uint32_t count_primes(std::uint32_t n) {
    return std::ranges::count_if(std::views::iota(2u, std::max(n, 1u) + 1), is_prime);
}

// How many runs of bytes that are no white space a text has.
extern "C" std::uint32_t count_words(const char *text) {
    std::uint32_t found = 0;
    bool inside = false;
    for (unsigned char byte : std::string_view(text)) {
        bool space = std::isspace(byte);
        found += !space && !inside;
        inside = !space;
    }
    return found;
}
