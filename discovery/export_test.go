package discovery

// Backoff is backoff.
var Backoff = backoff

// ServiceName is serviceName.
var ServiceName = serviceName
