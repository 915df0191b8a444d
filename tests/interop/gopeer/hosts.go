// The names of members in the hosts file, each line under the banner of its generation.
package main

import (
	"os"
	"sort"
	"strings"
)

const hostsPath = "/etc/hosts"

func banner(format string, interfaceName string) string {
	if format == "F3" {
		return "# ! managed automatically by wesher interface " + interfaceName
	}
	return "# ! MANAGED AUTOMATICALLY !"
}

// The text with exactly these names under the banner: managed lines are kept in their place,
// those of addresses that are gone are dropped, new ones come last.
func withEntries(text string, banner string, names map[string]string) string {
	line := func(address string) string { return address + "\t" + names[address] + "\t" + banner }
	written := map[string]bool{}
	kept := []string{}
	for _, old := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.HasSuffix(strings.TrimSpace(old), banner) {
			kept = append(kept, old)
			continue
		}
		address := strings.Fields(old)[0]
		if _, wanted := names[address]; wanted && !written[address] {
			kept = append(kept, line(address))
			written[address] = true
		}
	}
	added := []string{}
	for address := range names {
		if !written[address] {
			added = append(added, line(address))
		}
	}
	sort.Strings(added)
	return strings.Join(append(kept, added...), "\n") + "\n"
}

func writeHosts(banner string, names map[string]string) error {
	before, err := os.ReadFile(hostsPath)
	if err != nil {
		return err
	}
	after := withEntries(string(before), banner, names)
	if after == string(before) {
		return nil
	}
	fresh := hostsPath + ".gopeer"
	if err := os.WriteFile(fresh, []byte(after), 0644); err != nil {
		return err
	}
	return os.Rename(fresh, hostsPath)
}
