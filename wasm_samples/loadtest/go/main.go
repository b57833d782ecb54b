// The API of docs/loadtest.md with Go's net/http: api PORT
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"unicode/utf8"
)

type hello struct {
	Greeting string `json:"greeting"`
	Letters  int    `json:"letters"`
}

type sum struct {
	Count   int    `json:"count"`
	Sum     int64  `json:"sum"`
	Largest *int64 `json:"largest"`
}

type refused struct {
	Error string `json:"error"`
}

func main() {
	api := http.NewServeMux()
	api.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		answer(w, http.StatusOK, hello{"Hello, " + name + "!", utf8.RuneCountInString(name)})
	})
	api.HandleFunc("POST /sum", func(w http.ResponseWriter, r *http.Request) {
		var given struct {
			Numbers []int64 `json:"numbers"`
		}
		if json.NewDecoder(r.Body).Decode(&given) != nil || given.Numbers == nil {
			answer(w, http.StatusBadRequest, refused{"numbers must be a list of integers"})
			return
		}
		found := sum{Count: len(given.Numbers)}
		for i, number := range given.Numbers {
			found.Sum += number
			if found.Largest == nil || number > *found.Largest {
				found.Largest = &given.Numbers[i]
			}
		}
		answer(w, http.StatusOK, found)
	})
	api.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, refused{"not found"})
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], api))
}

func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
