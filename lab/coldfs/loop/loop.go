// Package loop attaches file system images to loop devices.
package loop
