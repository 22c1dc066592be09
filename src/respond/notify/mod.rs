//! Messages to people: one for each state of an incident, never with a value.
