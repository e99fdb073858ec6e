"""Who calls, and what they may: keys, sessions of roles, and the policies of users and roles as they are now."""
