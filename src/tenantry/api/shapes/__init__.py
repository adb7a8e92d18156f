"""What goes over the wire, in InvokeAI's field names; one module for each part of the API."""
