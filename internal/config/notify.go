package config

// A Notification is one receiver of events.
type Notification struct {
	Type         Receiver `json:"type"`
	URLFrom      string   `json:"urlFrom,omitempty"` // name of the environment variable that holds the address
	To           []string `json:"to,omitempty"`      // e-mail addresses
	Environments []string `json:"environments"`      // none: all
	Events       []Event  `json:"events"`            // none: all
}

// A Receiver is a kind of notification.
type Receiver string

// The receivers.
const (
	ReceiverSlack   Receiver = "slack"
	ReceiverTeams   Receiver = "teams"
	ReceiverEmail   Receiver = "email"
	ReceiverWebhook Receiver = "webhook"
)

// An Event is something that a receiver may want to hear of.
type Event string

// The events.
const (
	EventOpened     Event = "opened"
	EventApproved   Event = "approved"
	EventBlocked    Event = "blocked"
	EventMerged     Event = "merged"
	EventDeclined   Event = "declined"
	EventRolledBack Event = "rollback"
	EventBreakGlass Event = "breakGlass"
	EventIncident   Event = "incident"
)
