package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// readCode finds the function's deployment package and its layers among the assets.
func (f *Function) readCode(p properties, assets assets, scope scope) error {
	if p.PackageType == Image {
		f.PackageType = Image
		uri, err := scope.text(p.Code.ImageURI)
		if err != nil {
			return fmt.Errorf("Code.ImageUri: %w", err)
		}
		f.Package, f.Dockerfile, f.PackageSizeBytes, err = assets.image(uri[strings.LastIndexByte(uri, ':')+1:])
		return err
	}
	if p.Code.ZipFile != nil {
		return errors.New("its code is inside the template (ZipFile): make it an asset")
	}
	key, err := scope.text(p.Code.S3Key)
	if err != nil {
		return fmt.Errorf("Code.S3Key: %w", err)
	}
	if f.Package, f.PackageSizeBytes, err = assets.file(key); err != nil {
		return err
	}
	for _, layer := range p.Layers {
		if path, err := scope.layer(layer, assets); err == nil {
			f.Layers = append(f.Layers, path)
		} else {
			f.Ignored = append(f.Ignored, fmt.Sprintf("Layers (%v)", err))
		}
	}
	return nil
}

// layer finds the content of a layer that is in the same stack.
func (s scope) layer(of any, assets assets) (path string, err error) {
	name, err := s.text(of)
	if err != nil {
		return "", err
	}
	var p struct{ Content struct{ S3Key any } }
	if r := s.resources[name]; r.Type != "AWS::Lambda::LayerVersion" || json.Unmarshal(r.Properties, &p) != nil {
		return "", fmt.Errorf("%s is not in the assembly", name)
	}
	key, err := s.text(p.Content.S3Key)
	if err == nil {
		path, _, err = assets.file(key)
	}
	return path, err
}
