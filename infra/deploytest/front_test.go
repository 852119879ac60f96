//go:build deploy

package deploytest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// underWay matches CloudFormation's answer about a stack or a change set that is not done.
var underWay = regexp.MustCompile(`<(?:StackStatus|Status)>(?:CREATE|UPDATE|DELETE|ROLLBACK|UPDATE_ROLLBACK|UPDATE_COMPLETE_CLEANUP)_(?:IN_PROGRESS|PENDING)<`)

// heldFor is how long such an answer is held back, because the CDK CLI asks only every five seconds.
const heldFor = 4 * time.Second

// startFront is a proxy before MiniStack. It answers for ECR if MiniStack differs from AWS: the registry's address,
// the login, and that an image does not exist before it is pushed. It holds back answers about a stack until the stack
// is done. It passes on everything else.
func startFront(t *testing.T, ministack string, images *registry) (endpoint string) {
	t.Helper()
	target := must(url.Parse(ministack))(t)
	passed := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // net/http looks at a request's body again while it is answered, and loses the answer if the body is closed
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, action, isECR := strings.Cut(r.Header.Get("X-Amz-Target"), "AmazonEC2ContainerRegistry_V20150921.")
		if isForm := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"); !isECR && !isForm {
			passed.ServeHTTP(w, r)
			return
		}
		if form, err := url.ParseQuery(string(body)); !isECR && err == nil {
			action = form.Get("Action")
		}
		switch action {
		case "DescribeStacks", "DescribeChangeSet":
			for until := time.Now().Add(heldFor); ; time.Sleep(50 * time.Millisecond) {
				recorded := httptest.NewRecorder()
				passed.ServeHTTP(recorded, r)
				if !underWay.Match(recorded.Body.Bytes()) || time.Now().After(until) || r.Context().Err() != nil {
					maps.Copy(w.Header(), recorded.Header())
					w.WriteHeader(recorded.Code)
					w.Write(recorded.Body.Bytes())
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
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
	json.NewEncoder(w).Encode(value) // if the client is gone, nobody needs the answer
}
