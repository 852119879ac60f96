package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// Deployer is a Backend that can also create and delete functions, change their code, and reserve concurrency.
type Deployer interface {
	Create(c Configuration, code Code) (Configuration, error)
	// UpdateCode replaces a function's code. Running invocations continue, and versions keep their code.
	UpdateCode(name string, code Code) (Configuration, error)
	Delete(name string) error

	// Reserve reserves this number of concurrent invocations for a function, which is also its limit; nil removes
	// both.
	Reserve(name string, n *int) error
	// Provision keeps this number of environments of name:version ready; 0 means none. It returns at once.
	Provision(name string, n int) error
	// Provisioned says how many environments of name:version are ready.
	Provisioned(name string) (Provisioned, error)
	// Concurrency returns the limit of concurrent invocations of the whole backend.
	Concurrency() int
}

// Code is a deployment package in a request. Either ZIP or Image is set.
type Code struct {
	ZIP             []byte `json:"ZipFile"`
	Image           string `json:"ImageUri"` // the folder of an OCI layout
	S3Bucket, S3Key string
	RevisionID      string `json:"RevisionId"` // if not empty, the change fails unless this is the current revision
	Architectures   []string
	DryRun, Publish bool
}

// maxBody is the largest request with an archive that Lambda accepts. The archive is base64 in it.
const maxBody = 70_167_211

func (c *Code) check(packageType string) error {
	c.Image = strings.TrimPrefix(c.Image, "file://")
	switch {
	case c.S3Bucket != "" || c.S3Key != "":
		return Invalid("the lab has no S3: send the archive as ZipFile, or the folder of an OCI layout as ImageUri")
	case len(c.ZIP) == 0 && c.Image == "":
		return Invalid("Please provide a source for function code.")
	case len(c.ZIP) > 0 && c.Image != "":
		return Invalid("Please do not provide both a ZipFile and an ImageUri.")
	case (packageType == "Image") != (c.Image != ""):
		return Invalid("PackageType " + packageType + " does not fit the code: use ZipFile for Zip, and ImageUri for Image")
	case len(c.ZIP) > arm.MaxZIP:
		return NewError(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			"the archive is larger than 50 MB: Lambda accepts it from S3 only, and the lab has no S3: send less, or an image")
	}
	return nil
}

func (s server) deploying(m routes, d Deployer) {
	m.on("POST "+prefix, http.StatusCreated, func(r call) (any, error) { return s.create(d, r) })
	m.on("PUT "+prefix+"/{name}/code", http.StatusOK, func(r call) (any, error) { return s.updateCode(d, r) })
	s.concurrency(m, d)
	s.urlConfigs(m)
	account := func(call) (any, error) { return s.account(d), nil }
	m.on("GET /2016-08-19/account-settings", http.StatusOK, account)
	m.on("GET /2016-08-19/account-settings/", http.StatusOK, account)
}

// creatable lists the settings that CreateFunction accepts. Role and Tags have no effect here.
var creatable = append(honoured[1:len(honoured):len(honoured)],
	"FunctionName", "Code", "Runtime", "Architectures", "PackageType", "Publish", "Role", "Tags")

func (s server) create(d Deployer, r call) (any, error) {
	var asked map[string]json.RawMessage
	var in struct {
		Update
		FunctionName, Runtime, PackageType, Role string
		Code                                     Code
		Architectures                            []string
		Publish                                  bool
	}
	if err := r.read(maxBody, &asked, &in); err != nil {
		return nil, err
	}
	name := in.FunctionName[strings.LastIndexByte(in.FunctionName, ':')+1:]
	c := Configuration{Name: name, PackageType: cmp.Or(in.PackageType, "Zip"), Runtime: in.Runtime, Role: in.Role,
		MemorySizeMB: arm.DefaultMemorySizeMB, TimeoutSeconds: 3, EphemeralStorageMB: arm.MinTmpMB,
		Architecture: string(arm.X8664), LogFormat: "Text", LogGroup: "/aws/lambda/" + name}
	in.Apply(&c)
	if len(in.Architectures) > 0 {
		c.Architecture = in.Architectures[0]
	}
	err := cmp.Or(in.check(c), dropped(asked, creatable, c), in.Code.check(c.PackageType))
	if err == nil {
		err = c.checkNew()
	}
	if err == nil {
		c, err = d.Create(c, in.Code)
	}
	if err == nil && in.Publish {
		c, err = s.backend.Publish(name, Publication{})
	}
	return toDocument(c), err
}

func (c Configuration) checkNew() error {
	switch {
	case !arm.FunctionName.MatchString(c.Name):
		return Unfit("FunctionName " + strconv.Quote(c.Name) + " is not a name: use 1 to 64 letters, digits, - and _")
	case c.PackageType != "Zip" && c.PackageType != "Image":
		return Unfit("PackageType " + strconv.Quote(c.PackageType) + " is neither Zip nor Image")
	case c.PackageType == "Zip" && (c.Runtime == "" || c.Handler == ""):
		return Invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case c.PackageType == "Image" && (c.Runtime != "" || c.Handler != ""):
		return errImage
	case c.Architecture != string(arm.X8664) && c.Architecture != string(arm.ARM64):
		return Unfit("Architectures has " + strconv.Quote(c.Architecture) + ": use x86_64 or arm64")
	}
	return nil
}

func (s server) updateCode(d Deployer, r call) (any, error) {
	var in Code
	if err := r.read(maxBody, &in); err != nil {
		return nil, err
	}
	c, err := s.backend.Function(r.name)
	if err == nil {
		err = in.check(c.PackageType)
	}
	switch {
	case err != nil:
	case len(in.Architectures) > 0 && in.Architectures[0] != c.Architecture:
		err = Invalid("the lab cannot change Architectures: send code for " + c.Architecture)
	case !in.DryRun:
		c, err = d.UpdateCode(r.name, in)
	}
	if err == nil && in.Publish && !in.DryRun {
		c, err = s.backend.Publish(r.name, Publication{})
	}
	return toDocument(c), err
}

// account answers GetAccountSettings with Lambda's quotas, except that the concurrency is the lab's.
func (s server) account(d Deployer) any {
	all, used, reserved := s.backend.List(), int64(0), 0
	for _, c := range all {
		used += c.CodeSize
		if c.ReservedConcurrency != nil {
			reserved += *c.ReservedConcurrency
		}
	}
	return map[string]any{
		"AccountLimit": map[string]int64{
			"TotalCodeSize": 75 << 30, "CodeSizeUnzipped": arm.MaxUnpackedZIP, "CodeSizeZipped": arm.MaxZIP,
			"ConcurrentExecutions":           int64(d.Concurrency()),
			"UnreservedConcurrentExecutions": int64(max(0, d.Concurrency()-reserved)),
		},
		"AccountUsage": map[string]int64{"TotalCodeSize": used, "FunctionCount": int64(len(all))},
	}
}
