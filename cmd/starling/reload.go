package main

import (
	"log/slog"
	"reflect"
	"strings"

	"github.com/starling-sync/starling/node"
)

// reload reads the configuration again and puts in force what can be without a
// restart: the level of the log. It says what else is different now and waits
// for a restart. A configuration with a mistake changes nothing.
func reload(logger *slog.Logger, level *slog.LevelVar, data string, o runOptions, inForce node.Config) {
	config, err := node.LoadConfig(data)
	if err == nil {
		err = setLevel(level, o, config)
	}
	if err != nil {
		logger.Error("configuration is not reloaded", "err", err)
		return
	}
	if o.listen != "" {
		config.Listen = inForce.Listen // the flag's stays in force
	}
	if pending := differences(inForce, config); len(pending) > 0 {
		logger.Warn("configuration is reloaded; these wait for a restart", "keys", strings.Join(pending, " "))
		return
	}
	logger.Info("configuration is reloaded")
}

// differences returns the keys, but log_level, in which two configurations
// differ.
func differences(a, b node.Config) []string {
	var keys []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		key, _, _ := strings.Cut(va.Type().Field(i).Tag.Get("yaml"), ",")
		if key != "log_level" && !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}
