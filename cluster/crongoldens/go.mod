// A module of its own, so that what it imports is no part of the pins; it is built with those, by -modfile.
module kubecontrolplane/crongoldens

go 1.26.0
