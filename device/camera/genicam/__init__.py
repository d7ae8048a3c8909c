"""Industrial cameras (USB3 Vision, GigE Vision, CoaXPress) behind the GenICam standards."""
