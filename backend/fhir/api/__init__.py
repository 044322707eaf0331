"""The FHIR routes: their parameters, their renderer, and their errors."""
