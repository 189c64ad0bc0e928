"""What an agent may call: the Toolbox protocol and its sources."""
