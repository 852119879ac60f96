package double

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"
)

// Call is a request that has arrived.
type Call struct {
	Operation string // "Invoke", "UpdateFunctionConfiguration", ...; "" if unknown
	Function  string // name of the function
	Qualifier string // version or alias, also of a call that moves or deletes an alias
	Region    string // the region that the request is signed for
	Body      string
}

// operations maps method and path below /functions/NAME to AWS's name of the operation.
var operations = map[string]string{
	"POST /invocations": "Invoke", "POST /response-streaming-invocations": "InvokeWithResponseStream",
	"GET /configuration": "GetFunctionConfiguration", "PUT /configuration": "UpdateFunctionConfiguration",
	"GET ": "GetFunction", "DELETE ": "DeleteFunction", "POST /versions": "PublishVersion",
	"GET /versions": "ListVersionsByFunction", "GET /provisioned-concurrency": "ListProvisionedConcurrencyConfigs",
	"POST /aliases": "CreateAlias", "GET /aliases": "ListAliases", "GET /aliases/": "GetAlias",
	"PUT /aliases/": "UpdateAlias", "DELETE /aliases/": "DeleteAlias",
}

var (
	route  = regexp.MustCompile(`^/[0-9-]+/functions/([^/]+)(/[a-z-]+)?(/)?([^/]*)$`)
	scope  = regexp.MustCompile(`Credential=[^/]*/[0-9]*/([^/]*)/`)
	prefix = regexp.MustCompile(`^.*function:`)
)

// callOf describes a request as a Call without its Body.
func callOf(r *http.Request) (c Call) {
	if m := scope.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		c.Region = m[1]
	}
	if strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/account-settings") {
		c.Operation = "GetAccountSettings"
	}
	m := route.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return c
	}
	c.Operation = operations[r.Method+" "+m[2]+m[3]]
	c.Function, c.Qualifier, _ = strings.Cut(prefix.ReplaceAllString(m[1], ""), ":")
	c.Qualifier = cmp.Or(m[4], r.URL.Query().Get("Qualifier"), c.Qualifier)
	return c
}
