package runtimeapi

// Rules for names that become a path, an argument or part of a URL. Nothing here allocates.

// Divide splits a handler's name, file.function, at the last dot of the path's last part. Without a dot the file is an
// executable and function is "". wrong is the end of a sentence about a name that is not valid, else "".
func Divide(handler string) (path, function, wrong string) {
	path = handler
	for i := len(handler) - 1; i >= 0 && handler[i] != '/'; i-- {
		if handler[i] == '.' {
			path, function = handler[:i], handler[i+1:]
			if !validFunction(function) {
				wrong = ": want file.function, with a function name of letters, digits and _"
			}
			break
		}
	}
	if wrong == "" && !validPath(path) {
		wrong = ": want a relative path of letters, digits, dots, - and _, without .."
	}
	return path, function, wrong
}

// validPath reports whether every part of a relative path is a plain name: not empty, ".", ".." or an option.
func validPath(path string) bool {
	start := 0
	for i := 0; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			if c := path[i]; !wordByte(c) && c != '.' && c != '-' {
				return false
			}
			continue
		}
		if part := path[start:i]; part == "" || part == "." || part == ".." || part[0] == '-' {
			return false
		}
		start = i + 1
	}
	return true
}

// validFunction reports whether Bash accepts the name of a function in all its modes: [A-Za-z_][A-Za-z0-9_]*.
func validFunction(name string) bool {
	for i := range len(name) {
		if !wordByte(name[i]) {
			return false
		}
	}
	return name != "" && (name[0] < '0' || name[0] > '9')
}

// ValidID reports whether a request id is safe as a part of a path.
func ValidID(id string) bool {
	for i := range len(id) {
		if c := id[i]; !wordByte(c) && c != '-' && c != '.' && c != ':' {
			return false
		}
	}
	return id != "" && id != "." && id != ".."
}

func wordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}
