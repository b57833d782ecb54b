#include <cctype>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

static bool is_prime(std::uint32_t k) {
    for (std::uint32_t d = 2; d * d <= k; d++) {
        if (k % d == 0) return false;
    }
    return k >= 2;
}

static std::uint32_t count_primes(std::uint32_t n) {
    std::uint32_t found = 0;
    for (std::uint32_t k = 2; k <= n; k++) found += is_prime(k);
    return found;
}

static std::uint32_t count_words(std::string_view text) {
    std::uint32_t found = 0;
    bool inside = false;
    for (unsigned char byte : text) {
        bool space = std::isspace(byte);
        found += !space && !inside;
        inside = !space;
    }
    return found;
}

int main(int argc, char **argv) {
    std::uint32_t n = 10000;
    if (argc > 1) {
        std::string_view given(argv[1]);
        auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), n);
        if (error != std::errc() || end != given.data() + given.size()) {
            std::cerr << given << " is no number\n";
            return 2;
        }
    }
    std::string text(std::istreambuf_iterator<char>(std::cin), {});
    std::cout << "primes: " << count_primes(n) << "\nwords: " << count_words(text) << "\n";
}
