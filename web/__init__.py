"""The service's front: customer pages and widget, help centre, desk, JSON API, sockets."""
