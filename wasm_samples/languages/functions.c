#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>

static bool is_prime(uint32_t k) {
    for (uint32_t d = 2; d * d <= k; d++) {
        if (k % d == 0) return false;
    }
    return k >= 2;
}

/* How many primes there are up to and including n. */
uint32_t count_primes(uint32_t n) {
    uint32_t found = 0;
    for (uint32_t k = 2; k <= n; k++) found += is_prime(k);
    return found;
}

/* How many runs of bytes that are no white space a text has. */
uint32_t count_words(const char *text) {
    uint32_t found = 0;
    bool inside = false;
    for (; *text; text++) {
        bool space = isspace((unsigned char)*text);
        found += !space && !inside;
        inside = !space;
    }
    return found;
}
