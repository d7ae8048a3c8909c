"""What a live view keeps: sessions, counted fields, pictures and events, in a database that survives a power cut."""
