//go:build deploy

package deploytest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// startFront stands before MiniStack and has ECR's word where MiniStack's differs from AWS: where the registry is and how to log in, and
// that an image is not there before it is pushed. All else passes.
func startFront(t *testing.T, ministack string, images *registry) (endpoint string) {
	t.Helper()
	target := must(url.Parse(ministack))(t)
	passed := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, action, isECR := strings.Cut(r.Header.Get("X-Amz-Target"), "AmazonEC2ContainerRegistry_V20150921.")
		if !isECR {
			passed.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch action {
		case "GetAuthorizationToken":
			answer(w, http.StatusOK, map[string]any{"authorizationData": []any{map[string]any{
				"authorizationToken": base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + registryPassword)),
				"expiresAt":          time.Now().Add(12 * time.Hour).Unix(), "proxyEndpoint": "https://" + images.host(),
			}}})
		case "DescribeRepositories":
			recorded := httptest.NewRecorder()
			passed.ServeHTTP(recorded, r)
			var list struct {
				Repositories []map[string]any `json:"repositories"`
			}
			if err := json.Unmarshal(recorded.Body.Bytes(), &list); err != nil || recorded.Code != http.StatusOK {
				w.WriteHeader(recorded.Code)
				w.Write(recorded.Body.Bytes())
				return
			}
			for _, repository := range list.Repositories {
				repository["repositoryUri"] = images.host() + "/" + repository["repositoryName"].(string)
			}
			answer(w, http.StatusOK, list)
		case "DescribeImages":
			var asked struct {
				RepositoryName string
				ImageIDs       []struct{ ImageTag string }
			}
			if err := json.Unmarshal(body, &asked); err != nil || len(asked.ImageIDs) != 1 {
				http.Error(w, "one tag is asked for", http.StatusBadRequest)
				return
			}
			image, err := images.get(asked.RepositoryName, asked.ImageIDs[0].ImageTag)
			if err != nil {
				answer(w, http.StatusBadRequest, map[string]string{"__type": "ImageNotFoundException", "message": "the image does not exist"})
				return
			}
			answer(w, http.StatusOK, map[string]any{"imageDetails": []any{map[string]string{"imageDigest": image.Digest.String()}}})
		default:
			passed.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value) // a client that is gone needs no answer
}
