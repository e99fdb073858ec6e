"""What each role of the templates may do, beside what it asks for in all tests and the demo, and what AWS publishes."""
