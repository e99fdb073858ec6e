"""What AWS does between an event and a function: buses, rules, queues, schedules, retries, dead letters."""
