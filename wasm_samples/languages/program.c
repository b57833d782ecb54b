#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_prime(uint32_t k) {
    for (uint32_t d = 2; d * d <= k; d++) {
        if (k % d == 0) return false;
    }
    return k >= 2;
}

static uint32_t count_primes(uint32_t n) {
    uint32_t found = 0;
    for (uint32_t k = 2; k <= n; k++) found += is_prime(k);
    return found;
}

int main(int argc, char **argv) {
    uint32_t n = 10000;
    if (argc > 1) {
        char *end;
        unsigned long given = strtoul(argv[1], &end, 10);
        if (end == argv[1] || *end) {
            fprintf(stderr, "%s is no number\n", argv[1]);
            return 2;
        }
        n = (uint32_t)given;
    }
    uint32_t words = 0;
    bool inside = false;
    static unsigned char block[1 << 16];
    for (size_t got; (got = fread(block, 1, sizeof block, stdin)) > 0;) {
        for (size_t i = 0; i < got; i++) {
            bool space = isspace(block[i]);
            words += !space && !inside;
            inside = !space;
        }
    }
    printf("primes: %u\nwords: %u\n", (unsigned)count_primes(n), (unsigned)words);
    return 0;
}
