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
	return s.change(func(all []v1.Descriptor) ([]v1.Descriptor, error) {
		is := func(d v1.Descriptor) bool { return d.Annotations[annotationRemembered] == as }
		if i := slices.IndexFunc(all, is); i >= 0 && all[i].Digest == d.Digest && !older(all[i], time.Now().Add(-keepBlobs)) {
			return all, nil
		}
		d.Annotations = map[string]string{annotationRemembered: as}
		stamp(d.Annotations)
		return append(slices.DeleteFunc(all, is), d), nil
	})
}

// remembered returns a complete base that is kept by name.
func (s *Store) remembered(as string) (*v1.Descriptor, error) {
	return s.findBy(as, func(d v1.Descriptor) bool { return d.Annotations[annotationRemembered] == as })
}
