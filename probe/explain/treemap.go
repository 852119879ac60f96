package explain

import "math"

// Box is a rectangle of a treemap with what it stands for.
type Box struct {
	X, Y, W, H float64
	Item       *Item
	Parts      []Box // inside, below a line of text
	Hue        int   // degrees
}

// label is the height that a box keeps for its own name.
const label = 14.0

// treemap lays items out in a rectangle, areas by KiB read, as square as can be (Bruls, Huizing, van Wijk 2000). Items are largest
// first; what would be smaller than a point is left out.
func treemap(items []*Item, x, y, w, h float64) (boxes []Box) {
	var total float64
	for _, item := range items {
		total += float64(item.ReadKiB)
	}
	if total == 0 || w < 2 || h < 2 {
		return nil
	}
	scale := w * h / total
	for len(items) > 0 && w >= 1 && h >= 1 {
		n := row(items, math.Min(w, h), scale)
		var area float64
		for _, item := range items[:n] {
			area += float64(item.ReadKiB) * scale
		}
		if area == 0 {
			break
		}
		along := area / math.Min(w, h) // the row's thickness
		at := 0.0
		for _, item := range items[:n] {
			length := float64(item.ReadKiB) * scale / along
			if w >= h {
				boxes = append(boxes, Box{X: x, Y: y + at, W: along, H: length, Item: item})
			} else {
				boxes = append(boxes, Box{X: x + at, Y: y, W: length, H: along, Item: item})
			}
			at += length
		}
		if w >= h {
			x, w = x+along, w-along
		} else {
			y, h = y+along, h-along
		}
		items = items[n:]
	}
	return boxes
}

// row is how many items go into the next row along a side so that the worst of them is as square as can be.
func row(items []*Item, side, scale float64) int {
	var area float64
	best := math.Inf(1)
	for n, item := range items {
		a := float64(item.ReadKiB) * scale
		if a == 0 {
			return max(n, 1)
		}
		area += a
		largest, smallest := float64(items[0].ReadKiB)*scale, a
		worst := math.Max(side*side*largest/(area*area), area*area/(side*side*smallest))
		if worst > best {
			return n
		}
		best = worst
	}
	return len(items)
}

// nested is a treemap with the parts of each item inside of it.
func nested(items []*Item, w, h float64) []Box {
	boxes := treemap(items, 0, 0, w, h)
	for i := range boxes {
		b := &boxes[i]
		b.Hue = i * 47 % 360
		if b.W > 30 && b.H > label+6 {
			b.Parts = treemap(b.Item.Parts, b.X+2, b.Y+label, b.W-4, b.H-label-2)
		}
	}
	return boxes
}
