package bashfunction

import (
	"archive/zip"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/cdk"
)

// validateModel refuses what Lambda's model of CreateFunction refuses, because a mistake would otherwise stop a
// deployment halfway.
func (p BashFunctionProps) validateModel() error {
	known := func(s *string) bool { return s != nil && !*awscdk.Token_IsUnresolved(*s) }
	if known(p.Description) {
		if n := utf8.RuneCountInString(*p.Description); n > arm.MaxDescription {
			return fmt.Errorf("prop Description has %d characters: Lambda takes up to %d", n, arm.MaxDescription)
		}
	}
	if known(p.FunctionName) && !arm.FunctionName.MatchString(*p.FunctionName) {
		return fmt.Errorf("prop FunctionName %q: use up to 64 letters, digits, hyphens and underscores", *p.FunctionName)
	}
	if p.Layers != nil && len(*p.Layers) > arm.MaxLayers {
		return fmt.Errorf("prop Layers has %d layers: Lambda takes up to %d", len(*p.Layers), arm.MaxLayers)
	}
	if p.Environment == nil {
		return nil
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(*p.Environment)) {
		switch {
		case *awscdk.Token_IsUnresolved(name):
			continue
		case !arm.VariableName.MatchString(name):
			return fmt.Errorf("prop Environment: Lambda does not take the name %q: start with a letter, and use at least two "+
				"letters, digits and underscores", name)
		case slices.Contains(arm.ReservedVariables, name):
			return fmt.Errorf("prop Environment: Lambda sets %s itself: choose another name", name)
		}
		size += len(name)
		if value := (*p.Environment)[name]; known(value) {
			size += len(*value)
		}
	}
	if size > arm.MaxVariables {
		return fmt.Errorf("prop Environment has %d bytes of names and values: Lambda takes up to %d: "+
			"keep large values in a file or a parameter", size, arm.MaxVariables)
	}
	return nil
}

// checkSize refuses a ZIP that Lambda would not unpack.
func checkSize(path string, most uint64) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil // a user's Builder may return no ZIP; the CDK reports a bad file
	}
	defer archive.Close()
	var size uint64
	for _, f := range archive.File {
		size += f.UncompressedSize64
	}
	if size > most {
		return fmt.Errorf("the package %s has %d MB unpacked, and Lambda takes %d MB: leave files out (prop Exclude), "+
			"or use package image", path, size>>20, most>>20)
	}
	return nil
}

// SnapStart makes Lambda take a snapshot of each published version of a function. The CDK's own prop refuses
// images (2.260.0: "not supported by runtime FROM_IMAGE"), which Lambda takes since July 2026. The resource's property
// takes anything.
func SnapStart(function awslambda.Function) {
	published := &awslambda.CfnFunction_SnapStartProperty{ApplyOn: jsii.String("PublishedVersions")}
	cdk.Resource(function).SetSnapStart(published)
}

// validateSnapStart refuses what Lambda refuses. Lambda refuses some of it only when a version is published.
// See https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html.
func (p BashFunctionProps) validateSnapStart() error {
	size := p.EphemeralStorageSize
	switch {
	case p.SnapStart == nil:
	case p.Package == arm.ZIP:
		return fmt.Errorf("prop SnapStart: Lambda has no SnapStart for a ZIP of provided.al2023: use package %s or %s",
			arm.Image, arm.ImageMinimal)
	case p.Provisioned != nil:
		return errors.New("props SnapStart and Provisioned: Lambda refuses the two together: leave one out")
	case size != nil && !*size.IsUnresolved() && *size.ToMebibytes(nil) > arm.MinTmpMB:
		return fmt.Errorf("props SnapStart and EphemeralStorageSize: Lambda takes no snapshot with more than %d MB of /tmp: "+
			"leave one out", arm.MinTmpMB)
	}
	return nil
}
