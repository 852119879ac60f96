package builder

import (
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// annotationRemembered marks an index entry that is not an image but a base, by reference and platform.
const annotationRemembered = "dev.twinstart.remembered"

// remember keeps a base by name, for use when its registry does not answer.
func (s *Store) remember(d v1.Descriptor, as string) error {
	unlock, err := s.lock("index")
	if err != nil {
		return err
	}
	defer unlock()
	index, err := s.index()
	if err != nil {
		return err
	}
	is := func(d v1.Descriptor) bool { return d.Annotations[annotationRemembered] == as }
	if i := slices.IndexFunc(index.Manifests, is); i >= 0 && index.Manifests[i].Digest == d.Digest &&
		!older(index.Manifests[i], time.Now().Add(-keepBlobs)) {
		return nil
	}
	d.Annotations = map[string]string{annotationRemembered: as}
	stamp(d.Annotations)
	index.Manifests = append(slices.DeleteFunc(index.Manifests, is), d)
	return s.writeIndex(index)
}

// remembered returns a complete base that is kept by name.
func (s *Store) remembered(as string) (*v1.Descriptor, error) {
	return s.findBy(as, func(d v1.Descriptor) bool { return d.Annotations[annotationRemembered] == as })
}
