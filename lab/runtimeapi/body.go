package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

var errTooLarge = errors.New("body too large")

// drain reads more of a body than is used, so that the sender can read the answer and does not get a reset.
func drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, 64<<20) }

// read reads a body of up to MaxResponse bytes, with a length or chunked.
func read(r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxResponse {
		drain(r)
		return nil, errTooLarge
	}
	body := make([]byte, 0, max(r.ContentLength, 0)+512) // with room to see the end without growing
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		if len(body) > MaxResponse {
			drain(r)
			return nil, errTooLarge
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}

// trailerBody returns the error document of a streamed response. If it is not base64, it is returned unchanged.
func trailerBody(r *http.Request) []byte {
	text := r.Trailer.Get(headerErrorBody)
	if body, err := base64.StdEncoding.DecodeString(text); err == nil {
		return body
	}
	return []byte(text)
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]string{"errorMessage": message, "errorType": errorType})
	w.Write(text)
}
