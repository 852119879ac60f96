package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/twinstart/twinstart/arm"
)

// urlPath is the path below which function URLs are. A browser's name for a function, ID.lambda-url.REGION.on.aws,
// cannot be resolved to this machine.
const urlPath = "/lambda-url/"

// functionURL is FunctionUrlConfig. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
type functionURL struct {
	FunctionURL      string `json:"FunctionUrl"`
	FunctionARN      string `json:"FunctionArn"`
	AuthType         string
	InvokeMode       string
	CreationTime     string
	LastModifiedTime string
	Cors             json.RawMessage `json:",omitempty"`

	name, qualifier string
}

// urls holds the URLs of all functions. The key is name:qualifier.
type urls struct {
	mu  sync.Mutex
	all map[string]functionURL
}

func (s server) urlConfigs(m routes) {
	u := s.urls
	for method, status := range map[string]int{http.MethodPost: http.StatusCreated, http.MethodGet: http.StatusOK, http.MethodPut: http.StatusOK, http.MethodDelete: http.StatusNoContent} {
		m.on(method+" /2021-10-31/functions/{name}/url", status, func(r call) (any, error) {
			var in functionURL
			if err := r.read(maxRequest, &in); err != nil {
				return nil, err
			}
			in.name, in.qualifier = r.name, r.query("Qualifier")
			c, err := s.backend.Function(strings.TrimSuffix(r.name+":"+in.qualifier, ":"))
			if err != nil {
				return nil, err
			}
			in.FunctionARN = c.ARN
			in.FunctionURL = "http://" + r.Host + urlPath + strings.TrimSuffix(r.name+"/"+in.qualifier, "/") + "/"
			return u.change(r.Method, in)
		})
	}
	m.on("GET /2021-10-31/functions/{name}/urls", http.StatusOK, func(r call) (any, error) {
		all := []functionURL{}
		u.mu.Lock()
		for _, of := range u.all {
			if of.name == r.name {
				all = append(all, of)
			}
		}
		u.mu.Unlock()
		slices.SortFunc(all, func(a, b functionURL) int { return strings.Compare(a.FunctionURL, b.FunctionURL) })
		return paged(r, "FunctionUrlConfigs", all), nil
	})
}

// change creates, returns, changes or deletes the URL of a function.
func (u *urls) change(method string, in functionURL) (functionURL, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := in.name + ":" + in.qualifier
	old, there := u.all[key]
	switch {
	case method == http.MethodPost && there:
		return in, Conflict("FunctionUrlConfig exists for this Lambda function")
	case method != http.MethodPost && !there:
		return in, Absent("The resource you requested does not exist.")
	case method == http.MethodGet:
		return old, nil
	case method == http.MethodDelete:
		delete(u.all, key)
		return old, nil
	}
	in.AuthType, in.InvokeMode = cmp.Or(in.AuthType, old.AuthType), cmp.Or(in.InvokeMode, old.InvokeMode, "BUFFERED")
	switch {
	case in.AuthType != "NONE" && in.AuthType != "AWS_IAM":
		return in, Invalid("AuthType is NONE or AWS_IAM")
	case in.InvokeMode != "BUFFERED":
		return in, Invalid("the lab has no InvokeMode " + in.InvokeMode + " of a function URL: BUFFERED")
	case len(in.Cors) > 0 && string(in.Cors) != "null" && string(in.Cors) != "{}":
		return in, Invalid("the lab has no Cors of a function URL: it answers no web page")
	}
	in.LastModifiedTime = time.Now().UTC().Format(time.RFC3339)
	in.CreationTime, in.Cors = cmp.Or(old.CreationTime, in.LastModifiedTime), nil
	u.all[key] = in
	return in, nil
}

// find returns the URL that a path belongs to, and the rest of the path.
func (u *urls) find(r *http.Request) (of functionURL, path string, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, of := range u.all {
		_, at, _ := strings.Cut(of.FunctionURL, urlPath)
		if path, ok := strings.CutPrefix(r.URL.EscapedPath()+"/", urlPath+at); ok {
			return of, "/" + strings.TrimSuffix(path, "/"), true
		}
	}
	return of, "", false
}

// called runs a function that was called by its URL. Event and response have the format of payload 2.0.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
func (s server) called(w http.ResponseWriter, r *http.Request) {
	of, path, ok := s.urls.find(r)
	body, err := io.ReadAll(io.LimitReader(r.Body, arm.MaxPayload+1))
	refuse := func(status int, message string) { reply(w, status, map[string]string{"Message": message}) }
	switch {
	case !ok:
		refuse(http.StatusForbidden, "Forbidden") // as AWS answers for an unknown URL
	case of.AuthType == "AWS_IAM" && !signed(r):
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException") // as for everyone without the right
		refuse(http.StatusForbidden, "Forbidden")
	case err != nil:
		refuse(http.StatusBadRequest, "Bad Request")
	case len(body) > arm.MaxPayload:
		refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	default:
		id := NewID()
		event, _ := json.Marshal(urlEvent(r, of, path, id, body)) // text
		result, err := s.backend.Invoke(context.WithoutCancel(r.Context()), strings.TrimSuffix(of.name+":"+of.qualifier, ":"),
			Invocation{RequestID: id, Payload: event, ARN: of.FunctionARN})
		var known *Error
		switch {
		case errors.As(err, &known) && known.Status == http.StatusTooManyRequests:
			refuse(http.StatusTooManyRequests, "Too Many Requests")
		case err != nil || result.FunctionError != "":
			refuse(http.StatusBadGateway, "Internal Server Error")
		default:
			w.Header().Set(headerRequestID, id)
			w.Header().Set(arm.HeaderLogStream, result.LogStream)
			urlResponse(w, result.Payload)
		}
	}
}

// signed reports whether a request has a signature of version 4, in its header or its query. Whose it is the lab does not ask.
func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") || r.URL.Query().Get("X-Amz-Signature") != ""
}

func urlEvent(r *http.Request, of functionURL, path, id string, body []byte) map[string]any {
	now := time.Now().UTC()
	headers, query := map[string]string{"host": r.Host}, map[string]string{}
	for name, values := range r.Header {
		if name != "Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	at, _, _ := strings.Cut(r.RemoteAddr, ":")
	event := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": r.URL.RawQuery, "headers": headers, "isBase64Encoded": false,
		"requestContext": map[string]any{
			"accountId": "anonymous", "apiId": of.name, "domainName": r.Host, "domainPrefix": of.name, "requestId": id, "routeKey": "$default", "stage": "$default",
			"time": now.Format("02/Jan/2006:15:04:05 -0700"), "timeEpoch": now.UnixMilli(),
			"http": map[string]string{"method": r.Method, "path": path, "protocol": r.Proto, "sourceIp": at, "userAgent": r.UserAgent()},
		},
	}
	if len(query) > 0 {
		event["queryStringParameters"] = query
	}
	if cookies := r.Header.Values("Cookie"); len(cookies) > 0 {
		event["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
	}
	if len(body) > 0 {
		text := string(body)
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if binary := !strings.HasPrefix(kind, "text/") && !strings.HasSuffix(kind, "json") && !strings.HasSuffix(kind, "xml") && !strings.HasSuffix(kind, "javascript"); binary || !utf8.Valid(body) {
			text, event["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
		}
		event["body"] = text
	}
	return event
}

// urlResponse writes a function's answer. An object with statusCode describes the whole response; anything else is
// its body.
func urlResponse(w http.ResponseWriter, payload []byte) {
	var answer struct {
		StatusCode      *int
		Headers         map[string]any
		Cookies         []string
		Body            string
		IsBase64Encoded bool
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if !bytes.HasPrefix(payload, []byte("{")) || json.Unmarshal(payload, &answer) != nil || answer.StatusCode == nil {
		write(w, payload)
		return
	}
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(answer.Body)
		if body = decoded; err != nil {
			*answer.StatusCode = 0
		}
	}
	if *answer.StatusCode < 200 || *answer.StatusCode > 599 {
		reply(w, http.StatusBadGateway, map[string]string{"Message": "Internal Server Error"})
		return
	}
	for name, value := range answer.Headers {
		text, isText := value.(string)
		if !isText {
			raw, _ := json.Marshal(value) // it was JSON
			text = string(raw)
		}
		h.Set(name, text)
	}
	for _, cookie := range answer.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	w.WriteHeader(*answer.StatusCode)
	write(w, body)
}
