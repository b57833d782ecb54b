package main

func isPrime(k uint32) bool {
	for d := uint32(2); d*d <= k; d++ {
		if k%d == 0 {
			return false
		}
	}
	return k >= 2
}

// How many primes there are up to and including n.
//
//go:wasmexport count_primes
func countPrimes(n uint32) uint32 {
	found := uint32(0)
	for k := uint32(2); k <= n; k++ {
		if isPrime(k) {
			found++
		}
	}
	return found
}

// How many runs of bytes that are no white space a text has.
//
//go:wasmexport count_words
func countWords(text string) uint32 {
	found, inside := uint32(0), false
	for i := range len(text) {
		space := text[i] == ' ' || text[i] >= 9 && text[i] <= 13
		if !space && !inside {
			found++
		}
		inside = !space
	}
	return found
}

func main() {}
